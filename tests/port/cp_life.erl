%% SPDX-License-Identifier: ISC
%% Pipelines, children and what is said about them.
-module(cp_life).
-export([cases/0, chain/2, cat/2, sh/3]).
-include("cp.hrl").

-define(MANY, #{wrap => ["/bin/sh", "-c", "ulimit -Hn 19000 2>/dev/null; ulimit -Sn 19000 || ulimit -Sn \"$(ulimit -Hn)\"; exec \"$@\"", "sh"],
                limit => 60000}).

cases() ->
    [{"pipeline: 16 deep", fun(D) ->
         P = chain(D, 16),
         ?is(lists:last(P), call(D, P, getpid)),
         ?is([os(D) | lists:droplast(P)], [stat(X, ppid) || X <- P]),
         ?is({error, eagain}, call(D, P, fork)),
         ?is(<<"1.0.1">>, call(D, P, version)),
         B = binary:copy(<<"x">>, 65535 - 14 - 16 * 8),
         ?is(B, call(D, P, iolist_to_bin, [B])),
         %% Each on the way answers for itself.
         [?is(lists:last(Q), call(D, Q, getpid)) || N <- lists:seq(1, 16), Q <- [lists:sublist(P, N)]],
         ok = call(D, P, execvp, ["/bin/cat", ["cat"]]),
         in(D, P, "hello\n"),
         ?is(<<"hello\n">>, next(D, stdout, P)),
         stop(D),
         true = until(fun() -> not lists:any(fun cp_os:alive/1, P) end)
     end},
     {"pipeline: 60 deep", fun(D) ->
         true = call(D, [], setopt, [maxforkdepth, 255]),
         P = chain(D, 60),
         ?is(lists:last(P), call(D, P, getpid)),
         B = binary:copy(<<"x">>, 65535 - 14 - 60 * 8),
         ?is(B, call(D, P, iolist_to_bin, [B])),
         [begin cast(D, P, iolist_to_bin, [integer_to_list(N)]) end || N <- lists:seq(1, 100)],
         [?is(integer_to_binary(N), next(D, reply, P)) || N <- lists:seq(1, 100)],
         ok = call(D, P, execvp, ["/bin/cat", ["cat"]]),
         in(D, P, B),
         ?is(B, gather(D, stdout, P, byte_size(B))),
         stop(D),
         true = until(fun() -> not lists:any(fun cp_os:alive/1, P) end)
     end},
     {"children: 64", fun(D) ->
         L = forks(D, 64),
         ?is({error, eagain}, call(D, [], fork)),
         [cast(D, [P], getpid, []) || P <- L],
         [?is(P, next(D, reply, [P])) || P <- L],
         ?is(L, [P || {alcove_pid, P, _, _, _, _, _, _} <- call(D, [], cpid)]),
         Mid = lists:nth(32, L),
         ?is({exit_status, 0}, die(D, [Mid])),
         {ok, New} = call(D, [], fork),
         ?is({error, eagain}, call(D, [], fork)),
         ?is(New, call(D, [New], getpid)),
         %% A slot that became free is taken first.
         ?is(lists:sublist(L, 31) ++ [New] ++ lists:nthtail(32, L), [P || {alcove_pid, P, _, _, _, _, _, _} <- call(D, [], cpid)])
     end},
     {"children: 3000", ?MANY, fun(D) ->
         true = call(D, [], setopt, [maxchild, 3000]),
         First = forks(D, 1300),
         ?is(First, [P || {alcove_pid, P, _, _, _, _, _, _} <- call(D, [], cpid)]),
         L = First ++ forks(D, 1700),
         ?is({error, eagain}, call(D, [], fork)),
         [cast(D, [P], getpid, []) || P <- L],
         [?is(P, next(D, reply, [P], 20000)) || P <- L],
         case call(D, [], cpid) of
             badarg -> ok;
             All -> ?is(lists:sort(L), lists:sort([P || {alcove_pid, P, _, _, _, _, _, _} <- All]))
         end,
         {Out, Stay} = lists:split(1500, L),
         [cast(D, [P], exit, [P rem 200]) || P <- Out],
         [?is({exit_status, P rem 200}, next(D, event, [P], 20000)) || P <- Out],
         ?is(lists:last(Stay), call(D, [lists:last(Stay)], getpid)),
         ?is(1500, length(children(os(D)))),
         {ok, New} = call(D, [], fork),
         ?is(New, call(D, [New], getpid))
     end},
     {"pipeline: many talk at once and nothing is lost, doubled or mixed", fun(D) ->
         Tops = forks(D, 3),
         Ps = lists:append([begin {ok, B} = call(D, [A], fork), {ok, C} = call(D, [A, B], fork), [[A], [A, B], [A, B, C]] end || A <- Tops]),
         Execs = [begin
                      {ok, E} = call(D, P, fork),
                      Q = P ++ [E],
                      true = call(D, P, setcpid, [E, flowcontrol, 0]),
                      ok = call(D, Q, execvp, ["/bin/sh", ["sh", "-c", "seq -f '%06.0f' 1 30000; echo err >&2; read x; exit 3"]]),
                      {P, E, Q}
                  end || P <- Ps],
         [cast(D, P, setcpid, [E, flowcontrol, -1]) || {P, E, _} <- Execs],
         [cast(D, P, iolist_to_bin, [text(P, N)]) || N <- lists:seq(1, 60), P <- Ps],
         [true = next(D, reply, P) || P <- Ps],
         [?is(text(P, N), next(D, reply, P)) || P <- Ps, N <- lists:seq(1, 60)],
         Want = iolist_to_binary([io_lib:format("~6..0b~n", [N]) || N <- lists:seq(1, 30000)]),
         [?is({Q, true}, {Q, Want =:= gather(D, stdout, Q, byte_size(Want))}) || {_, _, Q} <- Execs],
         [?is(<<"err\n">>, gather(D, stderr, Q, 4)) || {_, _, Q} <- Execs],
         [in(D, Q, "\n") || {_, _, Q} <- Execs],
         [?is({exit_status, 3}, died(D, Q)) || {_, _, Q} <- Execs],
         _ = call(D, [], getpid),
         [] = [M || {T, _, _} = M <- flush(D), T =/= ctl]
     end},
     {"flow control: exactly as many reads as there is credit", fun(D) ->
         {ok, P} = call(D, [], fork),
         true = call(D, [], setcpid, [P, flowcontrol, 0]),
         ok = call(D, [P], execvp, ["/bin/sh", ["sh", "-c", "exec yes"]]),
         true = until(fun() -> stat(P, state) =:= "S" andalso link(lists:concat(["/proc/", P, "/exe"])) =/= link("/bin/sh") end),
         timer:sleep(30),
         none(D, stdout, [P]),
         true = call(D, [], setcpid, [P, flowcontrol, 2]),
         A = next(D, stdout, [P]),
         B = next(D, stdout, [P]),
         true = is_binary(A) andalso is_binary(B),
         timer:sleep(50),
         none(D, stdout, [P]),
         ?like([{alcove_pid, P, 0, _, _, _, _, _}], call(D, [], cpid)),
         true = call(D, [], setcpid, [P, flowcontrol, 1]),
         true = is_binary(next(D, stdout, [P])),
         none(D, stdout, [P]),
         ok = call(D, [], kill, [P, sigkill]),
         ?is({termsig, sigkill}, died(D, [P]))
     end},
     {"flow control: the default of the parent, and an exit without credit", fun(D) ->
         true = call(D, [], setopt, [flowcontrol, 1]),
         {ok, P} = call(D, [], fork),
         ?like([{alcove_pid, P, 1, _, _, _, _, _}], call(D, [], cpid)),
         ok = call(D, [P], execvp, ["/bin/echo", ["echo", "line"]]),
         ?is({exit_status, 0}, died(D, [P])),
         ?is([], call(D, [], cpid)),
         ?is(<<"line\n">>, next(D, stdout, [P]))
     end},
     {"flow control: control processes are not throttled", fun(D) ->
         true = call(D, [], setopt, [flowcontrol, 0]),
         P = chain(D, 3),
         [?is(lists:last(P), call(D, P, getpid)) || _ <- lists:seq(1, 20)]
     end},
     {"flow control: standard output and error share the credit", fun(D) ->
         {ok, P} = call(D, [], fork),
         true = call(D, [], setcpid, [P, flowcontrol, 1]),
         ok = call(D, [P], execvp, ["/bin/sh", ["sh", "-c", "echo a; echo b >&2; sleep 60"]]),
         true = until(fun() -> [] =/= children(P) end),
         M = receive {T, _, [P], B} when T =:= stdout; T =:= stderr -> {T, B} after 5000 -> timeout end,
         timer:sleep(30),
         none(D, stdout, [P]),
         none(D, stderr, [P]),
         true = call(D, [], setcpid, [P, flowcontrol, 1]),
         ?is(case M of {stdout, <<"a\n">>} -> <<"b\n">>; {stderr, <<"b\n">>} -> <<"a\n">> end,
             next(D, case M of {stdout, _} -> stderr; _ -> stdout end, [P]))
     end},
     {"badpid: pids that are not there", fun(D) ->
         {ok, P} = call(D, [], fork),
         [?is({ctl, badpid}, call(D, Q, getpid)) || Q <- [[0], [1], [99999], [P, 99999], [P, 0], [P, P], [16#ffffffff]]],
         ?is({exit_status, 0}, die(D, [P])),
         ?is({ctl, badpid}, call(D, [P], getpid)),
         in(D, [P], "x"),
         ?is(badpid, begin next(D, ctl, [P]) end)
     end},
     {"PIPE: six messages of 10000 bytes, 4096 of the seventh, then none", fun(D) ->
         Q = chain(D, 2),
         {ok, E} = call(D, Q, fork),
         P = Q ++ [E],
         ok = call(D, P, execvp, ["/bin/cat", ["cat"]]),
         ok = call(D, Q, kill, [E, sigstop]),
         [in(D, P, binary:copy(<<($a + N)>>, 10000)) || N <- lists:seq(0, 9)],
         ?is([4096, 0, 0, 0], pipe_counts(D, P, 4)),
         none(D, pipe, P),
         ok = call(D, Q, kill, [E, sigcont]),
         Got = gather(D, stdout, P, 64096),
         ?is(iolist_to_binary([binary:copy(<<C>>, 10000) || C <- "abcdef"] ++ binary:copy(<<"g">>, 4096)), Got),
         in(D, P, "on"),
         ?is(<<"on">>, next(D, stdout, P))
     end},
     {"PIPE: an empty message is none", fun(D) ->
         P = cat(D, []),
         in(D, P, ""),
         none(D, pipe, P),
         none(D, ctl, P),
         in(D, P, "x"),
         ?is(<<"x">>, next(D, stdout, P))
     end},
     {"exit: the order of what is said, of a program", fun(D) ->
         [true = call(D, [], setopt, [O, 1]) || O <- [stdin_closed, stdout_closed, stderr_closed]],
         [begin
              M = said(D, ["sh", "-c", Script]),
              {_, P, _} = hd(M),
              Said = [{T, X} || {T, Q, X} <- M, Q =:= P],
              ?is(length(M), length(Said)),
              ?is({ctl, fdctl_closed}, hd(Said)),
              ?is([{ctl, stdin_closed}, {event, Event}], lists:nthtail(length(Said) - 2, Said)),
              %% Between the two streams there is no order.
              ?is([Data, {ctl, Closed}], [X || X <- Said, X =:= Data orelse X =:= {ctl, Closed}]),
              ?is([{ctl, fdctl_closed}, {ctl, stdin_closed}, {ctl, stdout_closed}, {ctl, stderr_closed}, Data, {event, Event}] -- Said, [])
          end || {Script, Data, Closed, Event} <- [{"echo out; exit 5", {stdout, <<"out\n">>}, stdout_closed, {exit_status, 5}},
                                                   {"echo err >&2; kill -9 $$", {stderr, <<"err\n">>}, stderr_closed, {termsig, sigkill}}]]
     end},
     {"exit: the order of what is said, of a control process", fun(D) ->
         [true = call(D, [], setopt, [O, 1]) || O <- [stdin_closed, stdout_closed, stderr_closed]],
         {ok, P} = call(D, [], fork),
         cast(D, [P], exit, [3]),
         E = wait_event(D, P),
         [{ctl, [P], fdctl_closed}, {ctl, [P], A}, {ctl, [P], B}, {ctl, [P], stdin_closed}, {event, [P], {exit_status, 3}}] = E,
         ?is([stderr_closed, stdout_closed], lists:sort([A, B]))
     end},
     {"exit: nothing of it by default but the event", fun(D) ->
         [{ctl, [P], fdctl_closed}, {stdout, [P], <<"out\n">>}, {event, [P], {exit_status, 0}}] = said(D, ["sh", "-c", "echo out"])
     end},
     {"exit: streams closed by a program that goes on", fun(D) ->
         [true = call(D, [], setopt, [O, 1]) || O <- [stdout_closed, stderr_closed]],
         {ok, P} = call(D, [], fork),
         ok = call(D, [P], execvp, ["/bin/sh", ["sh", "-c", "exec >&-; read x; exec 2>&-; read x"]]),
         ?is(stdout_closed, next(D, ctl, [P])),
         in(D, [P], "\n"),
         ?is(stderr_closed, next(D, ctl, [P])),
         ?like([{alcove_pid, P, _, _, -2, In, -1, -1}] when In >= 0, call(D, [], cpid)),
         in(D, [P], "\n"),
         ?is({exit_status, 1}, case died(D, [P]) of {exit_status, 0} -> {exit_status, 1}; X -> X end)
     end},
     {"exit: the options exit_status and termsig off", fun(D) ->
         true = call(D, [], setopt, [exit_status, 0]),
         {ok, P} = call(D, [], fork),
         ok = call(D, [P], exit, [3]),
         true = until(fun() -> children(os(D)) =:= [] end),
         ?is([], call(D, [], cpid)),
         none(D, event, [P]),
         {ok, Q} = call(D, [], fork),
         ok = call(D, [], kill, [Q, sigkill]),
         ?is({termsig, sigkill}, died(D, [Q])),
         true = call(D, [], setopt, [termsig, 0]),
         {ok, R} = call(D, [], fork),
         ok = call(D, [], kill, [R, sigkill]),
         true = until(fun() -> children(os(D)) =:= [] end),
         ?is([], call(D, [], cpid)),
         none(D, event, [R])
     end},
     {"exit: the slot is free before the event can be seen", fun(D) ->
         true = call(D, [], setopt, [maxchild, 1]),
         [begin
              {ok, P} = call(D, [], fork),
              case N rem 3 of
                  0 -> cast(D, [P], exit, [0]);
                  1 -> cast(D, [], kill, [P, sigkill]), ok = next(D, reply, []);
                  2 -> cast(D, [P], execvp, ["/bin/true", ["true"]])
              end,
              true = is_tuple(died(D, [P])),
              ?is([], call(D, [], cpid))
          end || N <- lists:seq(1, 60)]
     end},
     {"exit: a message to a child that has ended is answered with badpid", fun(D) ->
         [begin
              {ok, P} = call(D, [], fork),
              Exec andalso (ok = call(D, [P], execvp, ["/bin/sleep", ["sleep", "60"]])),
              ok = cp_os:kill("STOP", [os(D)]),
              true = until(fun() -> stat(os(D), state) =:= "T" end),
              ok = cp_os:kill([P]),
              true = until(fun() -> not alive(P) end),
              tell(D, cp_wire:request([P], getpid, [])),
              ok = cp_os:kill("CONT", [os(D)]),
              true = until(fun() -> lists:member(badpid, [M || _ <- [x], M <- [next(D, ctl, [P])]]) end),
              ?is({termsig, sigkill}, died(D, [P])),
              tell(D, cp_wire:request([P], getpid, [])),
              ?is(badpid, skip_closed(D, P))
          end || Exec <- [false, true]]
     end},
     {"exit: likewise while its pipes are held by another", fun(D) ->
         P = sh(D, [], "sleep 60 & exit 4"),
         ?is({exit_status, 4}, died(D, P)),
         in(D, P, "x"),
         ?is(badpid, next(D, ctl, P)),
         ?is([], call(D, [], cpid))
     end},
     {"exit: the port answers while a grandchild holds the pipes, and writes", fun(D) ->
         P = sh(D, [], "yes & echo $! >&2; exec 2>&-; exit 4"),
         Yes = cp_os:number(binary_to_list(next(D, stderr, P))),
         ?is({exit_status, 4}, died(D, P)),
         [?is(os(D), call(D, [], getpid)) || _ <- lists:seq(1, 20)],
         ?is([], call(D, [], cpid)),
         cp_os:kill([Yes])
     end},
     {"fork: a child has none of its siblings' descriptors", fun(D) ->
         L = forks(D, 3),
         Ends = [cp_ends(D, P) || P <- L],
         %% Each has found its place once it answers.
         [?is(P, call(D, [P], getpid)) || P <- L],
         [begin
              Fds = fds(P),
              ?is([0, 1, 2, 3, 4, 5], [N || {N, _} <- Fds]),
              [] = [X || Q <- L, Q =/= P, X <- proplists:get_value(Q, Ends), {_, X1} <- Fds, X =:= X1]
          end || P <- L],
         {ok, Q} = call(D, [hd(L)], fork),
         ?is(Q, call(D, [hd(L), Q], getpid)),
         ?is([0, 1, 2, 3, 4, 5], [N || {N, _} <- fds(Q)]),
         %% So the end of one child's input does not wait for its siblings.
         {value, {alcove_pid, P1, _, _, _, In, _, _}} = lists:keysearch(hd(L), 2, call(D, [], cpid)),
         ok = call(D, [], close, [In]),
         ?is({exit_status, 0}, died(D, [P1]))
     end},
     {"end of input: the process group is signalled, stopped or not", fun(D) ->
         File = tmp("log"),
         {ok, P} = call(D, [], fork),
         {ok, P} = call(D, [P], setsid),
         ok = call(D, [P], execvp, ["/bin/sh", ["sh", "-c",
             "exec 2>/dev/null; trap 'echo leader >>$1; exit' TERM; (trap 'echo member >>$1; exit' TERM; echo go; while :; do sleep 0.02; done) & "
             "while :; do sleep 0.02; done", "sh", File]]),
         ?is(<<"go\n">>, next(D, stdout, [P])),
         {ok, Q} = call(D, [], fork),
         ok = call(D, [Q], execvp, ["/bin/sh", ["sh", "-c", "trap 'echo stopped >>$1; exit' TERM; echo go; while :; do sleep 0.02; done", "sh", File]]),
         ?is(<<"go\n">>, next(D, stdout, [Q])),
         ok = call(D, [], kill, [Q, sigstop]),
         true = until(fun() -> stat(Q, state) =:= "T" end),
         stop(D),
         ?is(true, until(fun() -> lists:sort(cp_os:lines(File)) =:= ["", "leader", "member", "stopped"] end)),
         true = until(fun() -> not alive(os(D)) end)
     end},
     {"end of input: the signal is the child's own; none if it is 0", fun(D) ->
         File = tmp("log"),
         Script = "trap 'echo $2 usr1 >>$1; exit' USR1; trap 'echo $2 term >>$1; exit' TERM; echo go; read x; echo $2 eof >>$1",
         [A, B, _] = [begin
                          {ok, P} = call(D, [], fork),
                          {ok, P} = call(D, [P], setsid),
                          ok = call(D, [P], execvp, ["/bin/sh", ["sh", "-c", Script, "sh", File, N]]),
                          ?is(<<"go\n">>, next(D, stdout, [P])),
                          P
                      end || N <- ["a", "b", "c"]],
         true = call(D, [], setcpid, [A, signaloneof, 10]),
         true = call(D, [], setcpid, [B, signaloneof, 0]),
         stop(D),
         ?is(true, until(fun() -> lists:sort(cp_os:lines(File)) =:= ["", "a usr1", "b eof", "c term"] end))
     end},
     {"end of input: the tree ends, exec'd programs at its leaves are signalled", fun(D) ->
         P = chain(D, 4),
         {ok, E} = call(D, P, fork),
         ok = call(D, P ++ [E], execvp, ["/bin/sleep", ["sleep", "60"]]),
         stop(D),
         ?is(true, until(fun() -> not lists:any(fun cp_os:alive/1, [os(D), E | P]) end))
     end},
     {"mount: what is empty is NULL", none, fun() ->
         Trace = tmp("trace"),
         D = start(#{wrap => ["/usr/bin/strace", "-f", "-qq", "-s", "200", "-e", "trace=mount", "-o", Trace]}),
         {ok, P} = call(D, [], clone, [[clone_newns]]),
         ok = call(D, [P], mount, ["", "/", "", [ms_rec, ms_private], "", ""]),
         {error, enoent} = call(D, [P], mount, ["src", "/nonexistent", "type", [], <<"data", 0>>, ""]),
         {error, enoent} = call(D, [P], mount, [<<>>, "/nonexistent", [], [], [[], <<>>], "options"]),
         {exit_status, 0} = die(D, [P]),
         true = until(fun() -> length([L || L <- cp_os:lines(Trace), string:find(L, "mount(") =/= nomatch]) =:= 3 end),
         [A, B, C] = [lists:nth(2, string:split(L, "mount(")) || L <- cp_os:lines(Trace), string:find(L, "mount(") =/= nomatch],
         ?is("NULL, \"/\", NULL, MS_REC|MS_PRIVATE, NULL) = 0", string:trim(A)),
         ?is("\"src\", \"/nonexistent\", \"type\", 0, \"data\")", hd(string:split(B, " = "))),
         ?is("NULL, \"/nonexistent\", NULL, 0, NULL)", hd(string:split(C, " = ")))
     end},
     {"output: chunks of full size", fun(D) ->
         [begin
              Q = chain(D, Depth),
              {ok, E} = call(D, Q, fork),
              P = Q ++ [E],
              true = call(D, Q, setcpid, [E, flowcontrol, 0]),
              ok = call(D, P, execvp, ["/bin/sh", ["sh", "-c", "exec head -c 1000000 /dev/zero"]]),
              true = until(fun() -> stat(E, state) =:= "S" andalso is_full(E) end),
              true = call(D, Q, setcpid, [E, flowcontrol, 1]),
              First = next(D, stdout, P),
              Max = 65535 - 8 * (Depth + 1),
              ?is({Depth, Max}, {Depth, byte_size(First)}),
              true = call(D, Q, setcpid, [E, flowcontrol, -1]),
              ?is(1000000 - Max, byte_size(gather(D, stdout, P, 1000000 - Max))),
              ?is({exit_status, 0}, died(D, P))
          end || Depth <- [0, 1, 5]]
     end},
     {"output: all of a megabyte from 16 deep", fun(D) ->
         Q = chain(D, 15),
         {ok, E} = call(D, Q, fork),
         P = Q ++ [E],
         ok = call(D, P, execvp, ["/bin/sh", ["sh", "-c", "yes | head -c 2000000"]]),
         ?is(binary:copy(<<"y\n">>, 1000000), gather(D, stdout, P, 2000000)),
         ?is({exit_status, 0}, died(D, P))
     end},
     {"output: standard error of a control process is a stream", fun(D) ->
         P = chain(D, 2),
         {ok, 5} = call(D, P, write, [2, "hello"]),
         ?is(<<"hello">>, next(D, stderr, P)),
         ?is(lists:last(P), call(D, P, getpid))
     end},
     {"exec: in the middle of a pipeline", fun(D) ->
         P = chain(D, 8),
         {Up, [Deep | _]} = lists:split(3, P),
         ok = call(D, Up, execvp, ["/bin/cat", ["cat"]]),
         in(D, Up, "test\n"),
         ?is(<<"test\n">>, next(D, stdout, Up)),
         true = until(fun() -> not alive(Deep) end),
         true = until(fun() -> not lists:any(fun cp_os:alive/1, lists:nthtail(3, P)) end),
         none(D, event, P),
         in(D, Up, "again\n"),
         ?is(<<"again\n">>, next(D, stdout, Up))
     end},
     {"exec: of the root port, seen by its fifo", #{reader => true}, fun(D) ->
         cast(D, [], execvp, ["/bin/cat", ["cat"]]),
         ?is(fdctl_closed, next(D, ctl, [])),
         tell(D, <<"raw\n">>),
         ?is(<<"raw\n">>, gather(D, stdout, [], 4))
     end},
     {"exec: of the root port which has children; they end", #{reader => true}, fun(D) ->
         P = chain(D, 3),
         cast(D, [], execvp, ["/bin/cat", ["cat"]]),
         ?is(fdctl_closed, next(D, ctl, [])),
         true = until(fun() -> not lists:any(fun cp_os:alive/1, P) end),
         tell(D, <<"raw\n">>),
         ?is(<<"raw\n">>, gather(D, stdout, [], 4))
     end},
     {"exec: output and arguments as they are given", fun(D) ->
         P = sh(D, [], "printf 'a\\000b'; printf c >&2"),
         ?is(<<"a", 0, "b">>, gather(D, stdout, P, 3)),
         ?is(<<"c">>, next(D, stderr, P)),
         ?is({exit_status, 0}, died(D, P))
     end},
     {"options: inherited by a fork; the call filter not", fun(D) ->
         [true = call(D, [], setopt, [O, V]) || {O, V} <- [{exit_status, 0}, {stdout_closed, 1}, {flowcontrol, 3}, {maxchild, 5}, {maxforkdepth, 2}, {signaloneof, 9}]],
         {ok, P} = call(D, [], fork),
         ?is([0, 1, 3, 5, 2, 9], [call(D, [P], getopt, [O]) || O <- [exit_status, stdout_closed, flowcontrol, maxchild, maxforkdepth, signaloneof]]),
         {ok, Q} = call(D, [P], fork),
         ?is({error, eagain}, call(D, [P, Q], fork))
     end}].

is_full(Pid) ->
    %% Asleep in a write; where the kernel does not say, after a while.
    case file:read_file(lists:concat(["/proc/", Pid, "/wchan"])) of
        {ok, W} when W =:= <<"0">>; W =:= <<>> -> timer:sleep(100), true;
        {ok, W} -> binary:match(W, <<"pipe">>) =/= nomatch;
        _ -> timer:sleep(100), true
    end.

text(P, N) -> list_to_binary(lists:duplicate(N rem 7, io_lib:format("~p ~b;", [P, N]))).

pipe_counts(_, _, 0) -> [];
pipe_counts(D, P, N) -> [next(D, pipe, P) | pipe_counts(D, P, N - 1)].

skip_closed(D, P) ->
    case next(D, ctl, [P]) of
        fdctl_closed -> skip_closed(D, P);
        X -> X
    end.

%% What is said about a program from its exec to its event.
said(D, Args) ->
    {ok, P} = call(D, [], fork),
    cast(D, [P], execvp, ["/bin/" ++ hd(Args), Args]),
    wait_event(D, P).

wait_event(D, P) ->
    E = died(D, [P]),
    flush(D) ++ [{event, [P], E}].

%% The parent's ends of a child's channels.
cp_ends(D, P) ->
    Fds = fds(os(D)),
    {alcove_pid, P, _, _, A, B, C, E} = lists:keyfind(P, 2, call(D, [], cpid)),
    {P, [proplists:get_value(F, Fds) || F <- [A, B, C, E]]}.

forks(D, N) ->
    [cast(D, [], fork, []) || _ <- lists:seq(1, N)],
    [begin {ok, P} = next(D, reply, [], 20000), P end || _ <- lists:seq(1, N)].

%% N processes, each the child of the one before.
chain(D, N) ->
    lists:foldl(fun(_, P) -> {ok, C} = call(D, P, fork), P ++ [C] end, [], lists:seq(1, N)).

cat(D, Q) ->
    {ok, P} = call(D, Q, fork),
    ok = call(D, Q ++ [P], execvp, ["/bin/cat", ["cat"]]),
    Q ++ [P].

sh(D, Q, Script) ->
    {ok, P} = call(D, Q, fork),
    ok = call(D, Q ++ [P], execvp, ["/bin/sh", ["sh", "-c", Script]]),
    Q ++ [P].
