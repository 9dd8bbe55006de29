%% SPDX-License-Identifier: ISC
%% What the port's model does badly, and this one shall not.
-module(cp_weak).
-export([cases/0]).
-include("cp.hrl").
-import(cp_life, [chain/2, cat/2, sh/3]).

cases() ->
    [{"weak: replies that wait while their process exits arrive as replies", fun(D) ->
         %% Fails if what is left in the pipe is not forwarded at the end of the ctl channel.
         [begin
              {ok, P} = call(D, [], fork),
              paused(D, P, exit, [9]),
              E = died(D, [P]),
              ?is([{reply, [P], {ok, [], [], []}}] ++ [{reply, [P], integer_to_binary(N)} || N <- lists:seq(1, 20)] ++ [{ctl, [P], fdctl_closed}], heard(D)),
              ?is({exit_status, 9}, E)
          end || _ <- lists:seq(1, 3)]
     end},
     {"weak: likewise before an exec, whose output is not taken for frames", fun(D) ->
         %% Fails if it is not, or the announcement of the exec is ignored.
         [begin
              {ok, P} = call(D, [], fork),
              paused(D, P, execvp, ["/bin/sh", ["sh", "-c", "printf '\\000\\011\\000\\003raw'; exit 9"]]),
              E = died(D, [P]),
              ?is([{reply, [P], {ok, [], [], []}}] ++ [{reply, [P], integer_to_binary(N)} || N <- lists:seq(1, 20)] ++
                  [{ctl, [P], fdctl_closed}, {stdout, [P], <<0, 9, 0, 3, "raw">>}], heard(D)),
              ?is({exit_status, 9}, E)
          end || _ <- lists:seq(1, 3)]
     end},
     {"weak: likewise a process that is killed", fun(D) ->
         %% Fails if as the first.
         {ok, P} = call(D, [], fork),
         [cast(D, [P], iolist_to_bin, [integer_to_binary(N)]) || N <- lists:seq(1, 20)],
         cast(D, [], kill, [P, 0]),
         ok = next(D, reply, []),
         [?is(integer_to_binary(N), next(D, reply, [P])) || N <- lists:seq(1, 20)],
         {ok, 3} = call(D, [P], write, [2, "err"]),
         ok = call(D, [], kill, [P, sigkill]),
         ?is({termsig, sigkill}, died(D, [P])),
         ?is([{stderr, [P], <<"err">>}, {ctl, [P], fdctl_closed}], lists:sort(fun(A, _) -> element(1, A) =:= stderr end, flush(D)))
     end},
     {"weak: output at once, in many programs, is never taken for a frame", fun(D) ->
         %% Fails if what follows an exec is taken for frames; the race itself is in fuzz/corpus/door/exec_race.
         [begin
              Ps = [begin
                        {ok, P} = call(D, [], fork),
                        cast(D, [P], execvp, ["/bin/echo", ["echo", "0123456789"]]),
                        P
                    end || _ <- lists:seq(1, 20)],
              [begin
                   ?is({exit_status, 0}, died(D, [P])),
                   ?is(<<"0123456789\n">>, next(D, stdout, [P], 0))
               end || P <- Ps],
              [] = [M || {T, _, _} = M <- flush(D), T =/= ctl]
          end || _ <- lists:seq(1, 5)]
     end},
     {"weak: frames for a busy control process wait whole", fun(D) ->
         %% Fails if a frame for which there is no room is cut, as for programs.
         P = chain(D, 2),
         cast(D, P, select, [[], [], [], {alcove_timeval, 0, 300000}]),
         L = [binary:copy(<<($a + N rem 26)>>, 3000 + N) || N <- lists:seq(1, 100)],
         [cast(D, P, iolist_to_bin, [B]) || B <- L],
         %% The way there is not blocked.
         ?is(hd(P), call(D, [hd(P)], getpid)),
         ?is({ok, [], [], []}, next(D, reply, P)),
         [?is(B, next(D, reply, P)) || B <- L],
         ?is(lists:last(P), call(D, P, getpid)),
         none(D, pipe, P),
         none(D, pipe, [hd(P)])
     end},
     {"weak: the end of input passes what still waits", fun(D) ->
         %% Fails if as the one before.
         P = chain(D, 1),
         F = tmp("f"),
         cast(D, P, select, [[], [], [], {alcove_timeval, 0, 200000}]),
         [cast(D, P, iolist_to_bin, [binary:copy(<<"x">>, 20000)]) || _ <- lists:seq(1, 10)],
         cast(D, P, mkdir, [F, 8#700]),
         ?is({ok, [], [], []}, next(D, reply, P)),
         [?is(20000, byte_size(next(D, reply, P))) || _ <- lists:seq(1, 10)],
         ?is(ok, next(D, reply, P)),
         {ok, _} = file:read_file_info(F)
     end},
     {"weak: all output of a program comes before its event", fun(D) ->
         %% Fails if one chunk is read at the end.
         [begin
              {ok, P} = call(D, [], fork),
              true = call(D, [], setcpid, [P, flowcontrol, 0]),
              ok = call(D, [P], execvp, ["/bin/sh", ["sh", "-c", "head -c 65536 /dev/zero; printf e >&2; read x; exit 2"]]),
              true = until(fun() -> stat(P, state) =:= "S" andalso children(P) =:= [] andalso waits(P) end),
              ok = cp_os:kill("STOP", [os(D)]),
              true = until(fun() -> stat(os(D), state) =:= "T" end),
              ok = cp_os:kill([P]),
              true = until(fun() -> not alive(P) end),
              ok = cp_os:kill("CONT", [os(D)]),
              ?is({termsig, sigkill}, died(D, [P])),
              M = heard(D),
              ?is({65536, <<"e">>}, {lists:sum([byte_size(B) || {stdout, [Q], B} <- M, Q =:= P]), iolist_to_binary([B || {stderr, _, B} <- M])}),
              _ = call(D, [], getpid),
              [] = heard(D)
          end || _ <- [1, 2]]
     end},
     {"weak: a descriptor that was closed and is used again belongs to its new owner", fun(D) ->
         %% Fails if the number stays in the slot.
         {ok, P} = call(D, [], fork),
         ok = call(D, [P], execvp, ["/bin/sleep", ["sleep", "60"]]),
         [{alcove_pid, P, _, _, _, In, _, _}] = call(D, [], cpid),
         ok = call(D, [], close, [In]),
         F = tmp("f"),
         Fd = reopen(D, F, In, []),
         ?is(In, Fd),
         in(D, [P], "not for this file"),
         _ = call(D, [], getpid),
         ?is({ok, <<>>}, file:read_file(F)),
         ok = call(D, [], kill, [P, 9]),
         ?is({termsig, sigkill}, died(D, [P])),
         ?is(F, proplists:get_value(Fd, fds(os(D)))),
         ?is({ok, 1}, call(D, [], write, [Fd, "x"]))
     end},
     {"weak: a smaller maxchild forgets no child", fun(D) ->
         %% Fails if children in slots beyond it are dropped.
         [A, B, C] = [begin {ok, P} = call(D, [], fork), P end || _ <- [1, 2, 3]],
         [?is({exit_status, 0}, die(D, [P])) || P <- [A, B]],
         R = call(D, [], setopt, [maxchild, 1]),
         true = is_boolean(R),
         ?is(C, call(D, [C], getpid)),
         ?like([{alcove_pid, C, _, _, _, _, _, _}], call(D, [], cpid)),
         ?is({exit_status, 0}, die(D, [C])),
         {ok, E} = call(D, [], fork),
         R andalso ?is({error, eagain}, call(D, [], fork)),
         ?is({exit_status, 0}, die(D, [E]))
     end},
     {"weak: a limit of descriptors below those in use forgets no child", fun(D) ->
         %% Fails if they are dropped.
         true = call(D, [], setopt, [maxchild, 16]),
         L = [begin {ok, P} = call(D, [], fork), P end || _ <- lists:seq(1, 5)],
         [?is({exit_status, 0}, die(D, [P])) || P <- lists:sublist(L, 4)],
         Last = lists:last(L),
         R = call(D, [], setrlimit, [rlimit_nofile, {alcove_rlimit, 12, 1000}]),
         true = lists:member(R, [ok, {error, einval}]),
         ?is(Last, call(D, [Last], getpid)),
         ?is({exit_status, 0}, die(D, [Last]))
     end},
     {"weak: children with high descriptors, and few slots", fun(D) ->
         %% Fails if the table by number does not grow with the numbers.
         true = call(D, [], setopt, [maxchild, 2]),
         _ = [{ok, _} = call(D, [], open, ["/dev/null", [], 0]) || _ <- lists:seq(1, 400)],
         [begin
              P = cat(D, []),
              {ok, Q} = call(D, [], fork),
              [{alcove_pid, _, _, _, _, In, _, _}, _] = call(D, [], cpid),
              true = In > 400,
              in(D, P, "x"),
              ?is(<<"x">>, next(D, stdout, P)),
              ?is(Q, call(D, [Q], getpid)),
              ok = call(D, [], kill, [hd(P), 9]),
              ?is({termsig, sigkill}, died(D, P)),
              ?is({exit_status, 0}, die(D, [Q]))
          end || _ <- lists:seq(1, 5)]
     end},
     {"weak: no descriptor is lost by forks that fail", fun(D) ->
         %% Fails if what was made of the channels is not closed.
         P = chain(D, 1),
         {ok, {alcove_rlimit, _, Max}} = call(D, P, getrlimit, [rlimit_nofile]),
         ok = call(D, P, setrlimit, [rlimit_nofile, {alcove_rlimit, 100, Max}]),
         Open = fun Open(L) ->
             case call(D, P, open, ["/dev/null", [], 0]) of
                 {ok, Fd} -> Open([Fd | L]);
                 {error, emfile} -> L
             end
         end,
         Fds = Open([]),
         Before = fds(hd(P)),
         [begin
              %% With each number of free descriptors that is too small for a child.
              ?is({error, emfile}, call(D, P, fork)),
              ?is({error, emfile}, call(D, P, clone, [[]])),
              ok = call(D, P, close, [Fd])
          end || Fd <- lists:sublist(Fds, 8)],
         ?is(length(Before) - 8, length(fds(hd(P)))),
         {ok, C} = call(D, P, fork),
         ?is(C, call(D, P ++ [C], getpid))
     end},
     {"weak: no descriptor is lost by many children, however they end", fun(D) ->
         %% Fails if any of the four stays open.
         Before = fds(os(D)),
         [begin
              P = hd(chain(D, 1)),
              case N rem 4 of
                  0 -> cast(D, [P], exit, [0]);
                  1 -> cast(D, [P], execvp, ["/bin/true", ["true"]]);
                  2 -> cp_os:kill([P]);
                  3 -> ok = call(D, [P], execvp, ["/bin/sh", ["sh", "-c", "sleep 60 & exit 0"]])
              end,
              true = is_tuple(died(D, [P]))
          end || N <- lists:seq(1, 80)],
         _ = call(D, [], cpid),
         ?is(Before, fds(os(D)))
     end},
     {"weak: no descriptor is lost by waitpid", fun(D) ->
         %% Fails if waitpid forgets the slot and not its descriptors.
         {ok, _} = call(D, [], sigaction, [sigchld, sig_info]),
         Before = fds(os(D)),
         [begin
              P = chain(D, 1),
              ok = call(D, P, exit, [0]),
              ?like({signal, sigchld, _}, next(D, event, [])),
              ?like({ok, _, 0, _}, call(D, [], waitpid, [hd(P), []]))
          end || _ <- lists:seq(1, 20)],
         ?is([], call(D, [], cpid)),
         ?is(Before, fds(os(D)))
     end},
     {"weak: deeper than 62", fun(D) ->
         %% Fails if the loop of a child runs on the stack frames of its parent (130 KiB each).
         true = call(D, [], setopt, [maxforkdepth, 255]),
         P = chain(D, 100),
         ?is(lists:last(P), call(D, P, getpid)),
         ok = call(D, P, execvp, ["/bin/cat", ["cat"]]),
         in(D, P, "x"),
         ?is(<<"x">>, next(D, stdout, P))
     end},
     {"weak: an idle port takes no time", fun(D) ->
         %% Fails if descriptors that nothing is wanted of stay in the poll set.
         true = call(D, [], setopt, [maxchild, 32]),
         {ok, _} = call(D, [], sigaction, [sigchld, sig_info]),
         %% A closed stream without credit, of the living and the dead; descriptors closed behind the port's back.
         {ok, A} = call(D, [], fork),
         true = call(D, [], setcpid, [A, flowcontrol, 0]),
         ok = call(D, [A], execvp, ["/bin/sh", ["sh", "-c", "exec >&- 2>&-; exec sleep 60"]]),
         {ok, B} = call(D, [], fork),
         true = call(D, [], setcpid, [B, flowcontrol, 0]),
         ok = call(D, [B], execvp, ["/bin/true", ["true"]]),
         {ok, C} = call(D, [], fork),
         true = call(D, [], setcpid, [C, flowcontrol, 0]),
         ok = call(D, [C], execvp, ["/bin/sh", ["sh", "-c", "echo a; echo b >&2; exec sleep 60"]]),
         Closed = [begin
                       {ok, P} = call(D, [], fork),
                       {alcove_pid, P, _, _, _, _, _, _} = R = lists:keyfind(P, 2, call(D, [], cpid)),
                       ok = call(D, [], close, [element(I, R)]),
                       P
                   end || I <- [5, 6, 7, 8]],
         E = sh(D, [], "sleep 60 & exit 0"),
         %% A child that reads nothing of what waits for it.
         {ok, F} = call(D, [], fork),
         ok = call(D, [], kill, [F, sigstop]),
         [cast(D, [F], iolist_to_bin, [binary:copy(<<"x">>, 20000)]) || _ <- lists:seq(1, 10)],
         ?is(os(D), call(D, [], getpid)),
         timer:sleep(100),
         Pids = [os(D), C, F | Closed],
         Before = [stat(P, ticks) || P <- Pids, alive(P)],
         timer:sleep(500),
         After = [stat(P, ticks) || P <- Pids, alive(P)],
         ?like(N when N =< 10, lists:max([Y - X || {X, Y} <- lists:zip(Before, After)])),
         ?is(os(D), call(D, [], getpid)),
         ok = call(D, [], kill, [F, sigcont]),
         [?is(20000, byte_size(next(D, reply, [F]))) || _ <- lists:seq(1, 10)],
         _ = E
     end},
     {"weak: no signal is lost, and none too many for the port", fun(D) ->
         %% Fails if a full pipe ends the process, or drops the record.
         P = hd(chain(D, 1)),
         {ok, {alcove_rlimit, Most, _}} = call(D, [P], getrlimit, [rlimit_sigpending]),
         N = min(1500, Most - 10),
         ok = call(D, [], kill, [P, sigstop]),
         true = until(fun() -> stat(P, state) =:= "T" end),
         [cast(D, [], kill, [P, 40]) || _ <- lists:seq(1, N)],
         [ok = next(D, reply, []) || _ <- lists:seq(1, N)],
         ok = call(D, [], kill, [P, sigcont]),
         ?like({signal, sigcont, _}, next(D, event, [P])),
         [?like({signal, unknown, <<40:32/native, _/binary>>}, next(D, event, [P])) || _ <- lists:seq(1, N)],
         ?is(P, call(D, [P], getpid)),
         none(D, event, [P])
     end},
     {"weak: a child stopped by a tracer is not taken for dead, and does not block its parent", fun(D) ->
         %% Fails if a stop is taken for an end.
         {ok, P} = call(D, [], fork),
         ?like({ok, 0, _, _}, call(D, [P], ptrace, [ptrace_traceme, 0, 0, 0])),
         ok = call(D, [], kill, [P, sigusr1]),
         true = until(fun() -> stat(P, state) =:= "t" end),
         [?is(os(D), call(D, [], getpid)) || _ <- lists:seq(1, 3)],
         ?like([{alcove_pid, P, _, _, Ctl, In, _, _}] when Ctl >= 0 andalso In >= 0, call(D, [], cpid)),
         ok = call(D, [], kill, [P, sigkill]),
         ?is({termsig, sigkill}, died(D, [P]))
     end},
     {"weak: a child whose ctl channel is held by another does not block its parent", fun(D) ->
         %% Fails if the channel is read in a way that waits.
         {ok, P} = call(D, [], fork),
         {ok, 0} = call(D, [P], fcntl, [5, f_setfd, 0]),
         cast(D, [P], execvp, ["/bin/sh", ["sh", "-c", "sleep 60 & exit 3"]]),
         ?is({exit_status, 3}, died(D, [P])),
         ?is(os(D), call(D, [], getpid)),
         ?is([], call(D, [], cpid))
     end},
     {"weak: read takes no more than fits", fun(D) ->
         %% Fails if the count is not limited to what fits.
         F = tmp("f"),
         ok = file:write_file(F, binary:copy(<<"0123456789">>, 20000)),
         [begin
              {ok, Fd} = call(D, P, open, [F, [], 0]),
              {ok, A} = call(D, P, read, [Fd, 70000]),
              ?like(N when N > 60000 andalso N =< 65515, byte_size(A)),
              {ok, B} = call(D, P, read, [Fd, (1 bsl 64) - 1]),
              true = byte_size(B) > 60000,
              ?is(binary:part(binary:copy(<<"0123456789">>, 20000), 0, byte_size(A) + byte_size(B)), <<A/binary, B/binary>>)
          end || P <- [[], chain(D, 1)]]
     end},
     {"weak: replies that do not fit end nothing", fun(D) ->
         %% Fails if such a reply ends the process, or an error path keeps the folder open.
         T = tmp("d"),
         ok = file:make_dir(T),
         [ok = file:write_file(T ++ "/" ++ lists:duplicate(200, $a) ++ integer_to_list(N), "") || N <- lists:seq(1, 400)],
         U = tmp("many"),
         ok = file:make_dir(U),
         [ok = file:make_dir(U ++ "/" ++ lists:duplicate(245, $a) ++ integer_to_list(N)) || N <- lists:seq(1, 2300)],
         Fds = fds(os(D)),
         [?like({C, R} when R =:= badarg orelse element(1, R) =:= error, {C, call(D, [], C, A)})
          || {C, A} <- [{readdir, [T]}, {readdir, [U]}, {alloc, [[{ptr, 65500}]]}, {alloc, [[binary:copy(<<1>>, 32768)]]}]],
         ?is(Fds, fds(os(D))),
         [ok = call(D, [], setenv, ["V" ++ integer_to_list(N), binary:copy(<<"v">>, 20000), 1]) || N <- lists:seq(1, 4)],
         ?like(R when R =:= badarg orelse element(1, R) =:= error, call(D, [], environ)),
         ?is(os(D), call(D, [], getpid))
     end},
     {"weak: sigaction says why it failed", fun(D) ->
         %% Fails if its failure is answered as success.
         [?is({error, einval}, call(D, [], sigaction, [S, H])) || S <- [sigkill, sigstop, 0, 999], H <- [sig_dfl, sig_ign, sig_info]],
         ?is({error, einval}, call(D, [], sigaction, [999, []]))
     end},
     {"weak: select says why it failed", fun(D) ->
         %% Fails if its failure is badarg.
         {ok, P} = call(D, [], fork),
         cast(D, [P], select, [[], [], [], []]),
         true = until(fun() -> stat(P, state) =:= "S" end),
         timer:sleep(30),
         ok = call(D, [], kill, [P, sigusr1]),
         ?is({error, eintr}, next(D, reply, [P])),
         ?is({error, einval}, call(D, [P], select, [[], [], [], {alcove_timeval, -1, 0}]))
     end},
     {"weak: arguments behind a structure", fun(D) ->
         %% Fails if the tail of its list is left.
         {ok, 0, 9, 0, 0, 0} = call(D, [], prctl, [pr_set_pdeathsig, 9, 0, 0, 0]),
         ?is({ok, 0, [<<9, 0>>, <<0, 0>>], 5, <<"ab">>, 7}, call(D, [], prctl, [pr_get_pdeathsig, [<<0, 0>>, <<0, 0>>], 5, <<"ab">>, 7])),
         ?is({ok, 0, [<<9, 0, 0, 0>>], [{ptr, <<"x">>}], [<<1>>], 7}, call(D, [], prctl, [pr_get_pdeathsig, [<<0:32>>], [{ptr, <<"x">>}], [<<1>>], 7])),
         {ok, sig_dfl} = call(D, [], sigaction, [sigchld, sig_info]),
         {ok, P} = call(D, [], fork),
         ?is({ok, 0, [<<1>>], [<<2>>]}, call(D, [], ptrace, [ptrace_seize, P, 0, 0]) =:= {ok, 0, <<>>, <<>>} andalso
                 call(D, [], ptrace, [ptrace_interrupt, P, [<<1>>], [<<2>>]])),
         {ok, 0, _, _, _, _} = call(D, [], prctl, [pr_set_pdeathsig, 0, 0, 0, 0])
     end},
     {"weak: programs do not get the signal pipe", fun(D) ->
         %% Fails if it is not close-on-exec in a child.
         P = chain(D, 3),
         [?is([{F, {ok, 1}}], [{F, call(D, P, fcntl, [F, f_getfd, 0])}]) || F <- [3, 4]]
     end},
     {"weak: descriptors 3 to 5 open at the start", #{wrap => ["/bin/sh", "-c", "exec 3</dev/null 4</dev/null 5</dev/null 7</dev/zero; exec \"$@\"", "sh"], reader => true}, fun(D) ->
         %% Fails if they are moved with dup2(2).
         ?is([0, 1, 2, 3, 4, 5], [N || {N, _} <- fds(os(D)), N < 6]),
         ?is([], [F || {_, "/dev/null"} = F <- fds(os(D))]),
         [?is({F, {ok, 1}}, {F, call(D, [], fcntl, [F, f_getfd, 0])}) || F <- [3, 4, 5]],
         P = chain(D, 1),
         ?is(hd(P), call(D, P, getpid)),
         ?is([], [F || {_, "/dev/null"} = F <- fds(hd(P))]),
         cast(D, [], execvp, ["/bin/cat", ["cat"]]),
         ?is(fdctl_closed, next(D, ctl, []))
     end},
     {"weak: the fifo can be opened whatever the umask", none, fun() ->
         %% Fails if the mode is left to the umask.
         Fifo = tmp("fifo"),
         _ = start(#{raw => true, fifo => Fifo, wrap => ["/bin/sh", "-c", "umask 077; exec \"$@\"", "sh"]}),
         true = until(fun() -> case file:read_link_info(Fifo) of {ok, _} -> true; _ -> false end end),
         {ok, I} = file:read_link_info(Fifo),
         ?is(8#644, element(8, I) band 8#777)
     end},
     {"weak: many children end at once", fun(D) ->
         %% Fails if one child is waited for at each signal.
         [begin
              Ps = [hd(chain(D, 1)) || _ <- lists:seq(1, 60)],
              ok = cp_os:kill(Ps),
              [?is({termsig, sigkill}, died(D, [P])) || P <- Ps],
              ?is([], call(D, [], cpid)),
              ?is(60, length([x || {ctl, _, fdctl_closed} <- flush(D)]))
          end || _ <- lists:seq(1, 3)]
     end}].

%% With the parent stopped, the child answers twenty calls and makes a last one.
paused(D, P, Last, Args) ->
    cast(D, [P], select, [[], [], [], {alcove_timeval, 0, 150000}]),
    [cast(D, [P], iolist_to_bin, [integer_to_binary(N)]) || N <- lists:seq(1, 20)],
    cast(D, [P], Last, Args),
    ?is(os(D), call(D, [], getpid)),
    ok = cp_os:kill("STOP", [os(D)]),
    true = until(fun() -> stat(os(D), state) =:= "T" end),
    true = until(fun() -> not alive(P) end),
    ok = cp_os:kill("CONT", [os(D)]).

%% What has come, but for the news that the port was continued.
heard(D) ->
    [M || M <- flush(D), case M of {event, [], {signal, sigcont, _}} -> false; _ -> true end].

%% Opens until the number wanted comes; lower ones that were free stay open.
reopen(D, F, Want, _) ->
    case call(D, [], open, [F, [o_wronly, o_creat], 8#600]) of
        {ok, Fd} when Fd < Want -> reopen(D, F, Want, []);
        {ok, Fd} -> Fd
    end.

%% Waits for input.
waits(P) ->
    case file:read_file(lists:concat(["/proc/", P, "/syscall"])) of
        {ok, <<"0 0x0 ", _/binary>>} -> true;
        {ok, <<"running", _/binary>>} -> false;
        {ok, _} -> false;
        _ -> timer:sleep(50), true
    end.
