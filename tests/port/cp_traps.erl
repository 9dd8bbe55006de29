%% SPDX-License-Identifier: ISC
%% The traps that a replacement of the port falls into, by their numbers in its specification.
-module(cp_traps).
-export([cases/0]).
-include("cp.hrl").
-import(cp_life, [chain/2, cat/2, sh/3]).

cases() ->
    [{"trap 1: the first frame and the reply of the first unlink come alone and whole", none, fun() ->
         [begin
              Fifo = tmp("fifo"),
              D = start(#{raw => true, fifo => Fifo}),
              Port = element(2, D),
              ?is(<<0, 7, 0, 4, 131, 119, 2, "ok">>, receive {raw, Port, B} -> B after 5000 -> timeout end),
              {ok, I} = file:read_link_info(Fifo),
              ?is(8#10000, element(8, I) band 8#170000),
              tell(D, cp_wire:call(unlink, [Fifo])),
              ?is(<<0, 7, 0, 4, 131, 119, 2, "ok">>, receive {raw, Port, C} -> C after 5000 -> timeout end),
              {error, enoent} = file:read_link_info(Fifo),
              stop(D)
          end || _ <- lists:seq(1, 10)]
     end},
     {"trap 2: lists of small integers arrive as strings", fun(D) ->
         {ok, P} = call(D, [], fork),
         ok = call(D, [P], setgroups, [[1, 2, 200]]),
         {ok, G} = call(D, [P], getgroups),
         ?is([1, 2, 200], lists:sort(G)),
         {ok, Fd} = call(D, [], open, ["/dev/null", [2], 0]),
         ?is({ok, [Fd], [Fd], []}, call(D, [], select, [[Fd], [Fd], [], {alcove_timeval, 0, 0}])),
         ?is({ok, 0, 0, []}, call(D, [], waitpid, [P, [1]])),
         ok = call(D, [], chdir, ["/tmp"]),
         ?is({ok, <<"/tmp">>}, call(D, [], getcwd))
     end},
     {"trap 3: atoms in four encodings", fun(D) ->
         [begin
              tell(D, cp_wire:raw_call(cp_wire:number(getopt), <<131, 104, 1, T, 8:S, "maxchild">>)),
              ?is({T, 64}, {T, next(D, reply, [])})
          end || {T, S} <- [{100, 16}, {115, 8}, {118, 16}, {119, 8}]]
     end},
     {"trap 4: where a bare atom and where a list is badarg", fun(D) ->
         [?is({C, badarg}, {C, call(D, [], C, A)})
          || {C, A} <- [{open, ["/", o_rdonly, 0]}, {mount, ["", "/nonexistent", "", ms_bind, "", ""]}, {unshare, [clone_newuts]},
                        {clone, [clone_newuts]}, {waitpid, [-1, wnohang]}, {umount2, ["/nonexistent", mnt_detach]},
                        {kill, [99999999, [sigterm]]}, {setns, [9999, [clone_newuts]]}, {socket, [af_unix, [sock_stream], 0]},
                        {socket, [[af_unix], sock_stream, 0]}, {prctl, [[pr_get_name], 0, 0, 0, 0]}, {seccomp, [[seccomp_set_mode_strict], 0, []]},
                        {seccomp, [99, [seccomp_filter_flag_tsync], []]}]]
     end},
     {"trap 5: where [] is nothing and where it is badarg", fun(D) ->
         [?is({C, badarg}, {C, call(D, [], C, A)})
          || {C, A} <- [{chdir, [[]]}, {open, [[], [], 0]}, {unlink, [[]]}, {ioctl, [0, fionread, []]}, {ptrace, [ptrace_attach, 99999999, [], 0]},
                        {alloc, [[]]}, {getenv, [[]]}, {sethostname, [[]]}]],
         {ok, S} = call(D, [], socket, [af_unix, sock_stream, 0]),
         ?like({error, _}, call(D, [], connect, [S, []])),
         ?is(<<>>, call(D, [], iolist_to_bin, [[]])),
         ?is({ok, 0}, call(D, [], write, [1, []])),
         ?is({ok, sig_info}, call(D, [], sigaction, [sigusr1, []])),
         ?is({ok, [], [], []}, call(D, [], select, [[], [], [], {alcove_timeval, 0, 0}])),
         ?like({ok, _, 0, 0, 0, 0}, call(D, [], prctl, [pr_get_dumpable, [], [], [], []]))
     end},
     {"trap 6: unknown constants", fun(D) ->
         [?is({C, {error, enotsup}}, {C, call(D, [], C, A)})
          || {C, A} <- [{open, ["/", [nosuch], 0]}, {kill, [0, nosuch]}, {getrlimit, [nosuch]}, {fcntl, [0, nosuch, 0]}, {ioctl, [0, nosuch, 0]},
                        {prctl, [nosuch, 0, 0, 0, 0]}, {socket, [nosuch, 1, 0]}, {getpriority, [nosuch, 0]}, {sigaction, [nosuch, []]}, {clone, [[nosuch]]}]],
         [?is({C, unknown}, {C, call(D, [], C, [nosuch])})
          || {C, _, 1} <- cp_wire:calls(), lists:suffix("_constant", atom_to_list(C)), C =/= cap_constant]
     end},
     {"trap 7: badarg and undef are atoms", fun(D) ->
         ?is(badarg, call(D, [], close, [a])),
         ?is(undef, call(D, [], cap_enter))
     end},
     {"trap 8: names of errors", fun(D) ->
         ?is([enotsup, edeadlk, unknown, unknown], [call(D, [], errno_id, [N]) || N <- [95, 35, 0, 84]])
     end},
     {"trap 9: reaped before the event, and one fdctl_closed before it", fun(D) ->
         [begin
              {ok, P} = call(D, [], fork),
              case How of
                  exec -> cast(D, [P], execvp, ["/bin/true", ["true"]]);
                  exit -> cast(D, [P], exit, [0]);
                  kill -> cast(D, [], kill, [P, sigkill])
              end,
              true = is_tuple(died(D, [P])),
              {error, enoent} = file:read_link_info(lists:concat(["/proc/", P])),
              %% Before the answer to anything asked later.
              cast(D, [], kill, [P, 0]),
              How =:= kill andalso (ok = next(D, reply, [])),
              ?is({error, esrch}, next(D, reply, [])),
              ?is([{ctl, [P], fdctl_closed}], flush(D))
          end || How <- [exec, exit, kill], _ <- lists:seq(1, 10)]
     end},
     {"trap 10: an exit's pipeline has the child, a signal's the process that got it", fun(D) ->
         P = chain(D, 2),
         ok = call(D, [], kill, [lists:last(P), sigusr1]),
         ?like({signal, sigusr1, _}, next(D, event, P)),
         ok = call(D, [], kill, [os(D), sigusr2]),
         ?like({signal, sigusr2, _}, next(D, event, [])),
         ok = call(D, [], kill, [lists:last(P), sigkill]),
         ?is({termsig, sigkill}, next(D, event, P)),
         none(D, event, [hd(P)]),
         none(D, event, [])
     end},
     {"trap 11: streams and frames of a child", fun(D) ->
         P = chain(D, 1),
         {ok, 4} = call(D, P, write, [2, <<0, 2, 0, 9>>]),
         ?is(<<0, 2, 0, 9>>, next(D, stderr, P)),
         ok = call(D, P, execvp, ["/bin/cat", ["cat"]]),
         in(D, P, <<0, 9, 0, 4, "raw">>),
         ?is(<<0, 9, 0, 4, "raw">>, next(D, stdout, P))
     end},
     {"trap 12: pids as the parent sees them", fun(D) ->
         {ok, P} = call(D, [], clone, [[clone_newpid]]),
         ?is(1, call(D, [P], getpid)),
         {ok, Q} = call(D, [P], fork),
         ?is(2, Q),
         ?is(2, call(D, [P, 2], getpid)),
         ?is({exit_status, 0}, die(D, [P, 2])),
         [Outer] = children(os(D)),
         ?is(P, Outer)
     end},
     {"trap 13: orphans of a namespace are reaped in silence", fun(D) ->
         {ok, P} = call(D, [], clone, [[clone_newpid]]),
         {ok, Q} = call(D, [P], fork),
         {ok, R} = call(D, [P, Q], fork),
         ok = call(D, [P, Q, R], execvp, ["/bin/sh", ["sh", "-c", "sleep 0.05 & sleep 0.1 & exit 0"]]),
         ?is({exit_status, 0}, died(D, [P, Q, R])),
         {ok, S} = call(D, [P, Q], fork),
         ok = call(D, [P, Q, S], execvp, ["/bin/sleep", ["sleep", "0.1"]]),
         ok = call(D, [P], kill, [Q, sigkill]),
         ?is({termsig, sigkill}, died(D, [P, Q])),
         true = until(fun() -> children(P) =:= [] end),
         ?is([], call(D, [P], cpid)),
         none(D, event, [P]),
         ?is(1, call(D, [P], getpid))
     end},
     {"trap 14: in sig_info mode nothing is reaped, and every SIGCHLD is an event", fun(D) ->
         {ok, sig_dfl} = call(D, [], sigaction, [sigchld, sig_info]),
         {ok, sig_info} = call(D, [], sigaction, [sigchld, []]),
         {ok, P} = call(D, [], fork),
         ok = call(D, [P], exit, [3]),
         ?like({signal, sigchld, <<17:32/native, _/binary>>}, next(D, event, [])),
         ?is("Z", stat(P, state)),
         none(D, event, [P]),
         ?like([{alcove_pid, P, _, _, _, _, _, _}], call(D, [], cpid)),
         ?is({ok, P, 768, [{exit_status, 3}]}, call(D, [], waitpid, [P, [wnohang]])),
         ?is([], call(D, [], cpid)),
         none(D, event, [P]),
         {ok, sig_info} = call(D, [], sigaction, [sigchld, sig_ign]),
         {ok, sig_dfl} = call(D, [], sigaction, [sigchld, sig_dfl]),
         {ok, Q} = call(D, [], fork),
         ?is({exit_status, 0}, die(D, [Q])),
         none(D, event, [])
     end},
     {"trap 15: signals interrupt a blocking call and are reported whole", fun(D) ->
         {ok, P} = call(D, [], fork),
         F = tmp("fifo"),
         ok = call(D, [P], mkfifo, [F, 8#600]),
         {ok, Fd} = call(D, [P], open, [F, [o_rdwr], 0]),
         cast(D, [P], read, [Fd, 1]),
         true = until(fun() -> stat(P, state) =:= "S" andalso string:find(syscall(P), "0 ") =:= syscall(P) end),
         ok = call(D, [], kill, [P, sigusr1]),
         ?is({error, eintr}, next(D, reply, [P])),
         {signal, sigusr1, <<10:32/native, 0:32, 0:32/native, _:32, Pid:32/native, Uid:32/native, _/binary>> = Info} = next(D, event, [P]),
         ?is({128, os(D), 0}, {byte_size(Info), Pid, Uid})
     end},
     {"trap 15: a synchronous SIGSYS is caught", fun(D) ->
         {ok, P} = call(D, [], fork),
         {ok, sig_info} = call(D, [P], sigaction, [sigsys, sig_info]),
         ok = call(D, [P], seccomp, [seccomp_set_mode_filter, 0, only(D, 16#30000)]),
         ?is(P, call(D, [P], getpid)),
         ?like(R when R =:= {error, unknown}; R =:= {ok, <<>>}; R =:= {ok, <<"/">>}; R =:= {error, enosys}, call(D, [P], getcwd)),
         ?like({signal, sigsys, <<31:32/native, _/binary>>}, next(D, event, [P])),
         ?is(P, call(D, [P], getpid)),
         ?is(last_end(), die(D, [P]))
     end},
     {"trap 16: a dozen system calls are enough to answer", fun(D) ->
         {ok, P} = call(D, [], fork),
         ok = call(D, [P], seccomp, [seccomp_set_mode_filter, 0, only(D, 0)]),
         ?is(P, call(D, [P], getpid)),
         [?is({N, N}, {N, byte_size(call(D, [P], iolist_to_bin, [binary:copy(<<"x">>, N)]))}) || N <- [0, 1, 5000, 65513]],
         [ok = call(D, [], kill, [P, sigusr1]) || _ <- [1, 2]],
         ?like({signal, sigusr1, _}, next(D, event, [P])),
         [cast(D, [P], getpid, []) || _ <- lists:seq(1, 50)],
         [?is(P, next(D, reply, [P])) || _ <- lists:seq(1, 50)],
         ?is({event, {termsig, sigsys}}, call(D, [P], getcwd)),
         {ok, Q} = call(D, [], fork),
         ?like({ok, 0, _, _, _, _}, call(D, [Q], prctl, [pr_set_seccomp, seccomp_mode_filter, only(D, 0), 0, 0])),
         ?is(Q, call(D, [Q], getpid)),
         ?is(last_end(), die(D, [Q])),
         %% The root port, too.
         ok = call(D, [], seccomp, [seccomp_set_mode_filter, 0, only(D, 0)]),
         [?is(os(D), call(D, [], getpid)) || _ <- lists:seq(1, 10)]
     end},
     {"trap 16: they are also enough with children, few (poll) and many (the kernel's own set)", fun(D) ->
         %% Fails if the set of many children is asked (epoll_wait) when poll(2) has nothing of it.
         true = call(D, [], setopt, [maxchild, 64]),
         [begin
              {ok, P} = call(D, [], fork),
              _ = [{ok, _} = call(D, [P], fork) || _ <- lists:seq(1, N)],
              ?is(N > 16, lists:member("anon_inode:[eventpoll]", [L || {_, L} <- fds(P)])),
              {ok, 0, _, _, _, _} = call(D, [P], prctl, [pr_set_no_new_privs, 1, 0, 0, 0]),
              ok = call(D, [P], seccomp, [seccomp_set_mode_filter, 0, only(D, 0)]),
              [?is(P, call(D, [P], getpid)) || _ <- lists:seq(1, 10)],
              %% Through it, and more than its output pipe holds at once.
              ok = call(D, [], kill, [P, sigusr1]),
              ?like({signal, sigusr1, _}, next(D, event, [P])),
              L = [binary:copy(<<X>>, 20000) || X <- lists:seq(1, 8)],
              [cast(D, [P], iolist_to_bin, [B]) || B <- L],
              [?is(B, next(D, reply, [P])) || B <- L],
              %% What is beyond ends it.
              cast(D, [P], getcwd, []),
              ?is({termsig, sigsys}, died(D, [P]))
          end || N <- [3, 30]]
     end},
     {"trap 17: one thread", fun(D) ->
         P = chain(D, 2),
         [?is({ok, [integer_to_list(X)]}, file:list_dir(lists:concat(["/proc/", X, "/task"]))) || X <- [os(D) | P]]
     end},
     {"trap 18: descriptors across a fork", #{fifo => cp_os:tmp("t18")}, fun(D) ->
         {ok, 6} = call(D, [], open, ["/dev/null", [o_rdwr], 0]),
         {ok, 7} = call(D, [], open, ["/dev/zero", [o_cloexec], 0]),
         Root = fds(os(D)),
         "/" ++ Fifo = proplists:get_value(5, Root),
         true = string:find(Fifo, "t18") =/= nomatch,
         P = chain(D, 2),
         ?is(lists:last(P), call(D, P, getpid)),
         [begin
              Fds = fds(X),
              Own = case X =:= hd(P) of
                  true -> [F || {alcove_pid, _, _, _, A, B, C, E} <- call(D, [X], cpid), F <- [A, B, C, E]];
                  false -> []
              end,
              ?is([{6, "/dev/null"}, {7, "/dev/zero"}], [F || {N, _} = F <- Fds, N > 5, not lists:member(N, Own)]),
              [] = [L || {_, L} <- Fds, string:find(L, "t18") =/= nomatch],
              [?is({ok, 1}, call(D, Q, fcntl, [F, f_getfd, 0])) || F <- [3, 4, 5], Q <- [[], [hd(P)], P]]
          end || X <- P],
         [{alcove_pid, _, _, _, Ctl, In, Out, Err}] = call(D, [], cpid),
         [?is({ok, 1}, call(D, [], fcntl, [F, f_getfd, 0])) || F <- [Ctl, In, Out, Err]],
         {ok, Fl} = call(D, [], fcntl, [In, f_getfl, 0]),
         ?is(8#4000, Fl band 8#4000)
     end},
     {"trap 19: close of what the port holds", fun(D) ->
         [begin
              {ok, P} = call(D, [], fork),
              {alcove_pid, P, _, _, _, _, _, _} = R = lists:keyfind(P, 2, call(D, [], cpid)),
              ok = call(D, [], close, [element(I, R)]),
              ?is(os(D), call(D, [], getpid)),
              case I of
                  5 ->
                      ?is(P, call(D, [P], getpid)),
                      ?is(-1, element(5, lists:keyfind(P, 2, call(D, [], cpid)))),
                      ?is(P, call(D, [P], getpid)),
                      none(D, ctl, [P]);
                  6 ->
                      ?is({error, ebadf}, call(D, [], close, [element(I, R)]));
                  _ ->
                      true = until(fun() ->
                          case lists:keyfind(P, 2, call(D, [], cpid)) of false -> true; N -> element(I, N) =:= -1 end
                      end),
                      none(D, ctl, [P])
              end,
              cp_os:kill([P]),
              true = until(fun() -> not lists:keymember(P, 2, call(D, [], cpid)) end),
              ?is(os(D), call(D, [], getpid)),
              flush(D)
          end || I <- [5, 6, 7, 8], _ <- [1, 2]],
         P = chain(D, 1),
         ?is(hd(P), call(D, P, getpid))
     end},
     {"trap 19: the end of a program's input and output by close", fun(D) ->
         P = cat(D, []),
         [{alcove_pid, _, _, _, -2, In, Out, Err}] = call(D, [], cpid),
         ok = call(D, [], close, [Out]),
         true = until(fun() -> case call(D, [], cpid) of [{alcove_pid, _, _, _, -2, In, -1, Err}] -> true; _ -> false end end),
         ?is({error, ebadf}, call(D, [], close, [-1])),
         ok = call(D, [], close, [In]),
         ?is({exit_status, 0}, died(D, P)),
         ?is([], call(D, [], cpid))
     end},
     {"trap 20: input of a program is not kept by the port", fun(D) ->
         P = chain(D, 1),
         ok = call(D, P, execvp, ["/bin/sleep", ["sleep", "60"]]),
         [in(D, P, binary:copy(<<"x">>, 10000)) || _ <- lists:seq(1, 20)],
         Ns = [next(D, pipe, P) || _ <- lists:seq(1, 14)],
         true = hd(Ns) < 10000,
         ?is(lists:duplicate(13, 0), tl(Ns)),
         none(D, pipe, P)
     end},
     {"trap 21: setcpid of what is not there, setopt of what cannot be", fun(D) ->
         ?is(true, call(D, [], setcpid, [99999, flowcontrol, 1])),
         ?is(false, call(D, [], setopt, [maxchild, 65535])),
         P = chain(D, 1),
         ?is(false, call(D, [], setopt, [maxchild, 0])),
         ?is(64, call(D, [], getopt, [maxchild])),
         ?is(hd(P), call(D, P, getpid))
     end},
     {"trap 22: a control process executes itself", fun(D) ->
         true = call(D, [], setopt, [stdout_closed, 1]),
         P = chain(D, 2),
         true = call(D, P, setopt, [maxchild, 3]),
         ok = call(D, P, filter, [<<0, 2>>, <<0, 2>>]),
         [{ok, 0} = call(D, P, fcntl, [F, f_setfd, 0]) || F <- [3, 4, 5]],
         ?is(ok, call(D, P, execve, [cp_drv:program(), ["carrel-port", "-d", "2"], ["A=B"]])),
         ?is(lists:last(P), call(D, P, getpid)),
         [{ok, 0} = call(D, P, fcntl, [F, f_setfd, 1]) || F <- [3, 4, 5]],
         none(D, ctl, P),
         ?is([64, 16, 0], [call(D, P, getopt, [O]) || O <- [maxchild, maxforkdepth, stdout_closed]]),
         ?is([<<"A=B">>], call(D, P, environ)),
         ?is([], call(D, P, cpid)),
         ?is({error, ebadf}, call(D, P, close, [9999])),
         {ok, Q} = call(D, P, fork),
         ?is(Q, call(D, P ++ [Q], getpid)),
         ?is({exit_status, 0}, die(D, P ++ [Q])),
         ?is([], call(D, P, cpid)),
         R = chain(D, 1),
         ok = call(D, P, execvp, ["/bin/cat", ["cat"]]),
         in(D, P, "x"),
         ?is(<<"x">>, next(D, stdout, P)),
         ?is(hd(R), call(D, R, getpid))
     end},
     {"trap 22: such a process has default dispositions, and counts its depth", fun(D) ->
         P = chain(D, 1),
         [{ok, 0} = call(D, P, fcntl, [F, f_setfd, 0]) || F <- [3, 4, 5]],
         ok = call(D, P, execve, [cp_drv:program(), ["carrel-port", "-c", "/nonexistent/fifo", "-d", "15", "-m", "3"], []]),
         [{ok, 0} = call(D, P, fcntl, [F, f_setfd, 1]) || F <- [3, 4, 5]],
         ?is(3, call(D, P, getopt, [maxchild])),
         {ok, Q} = call(D, P, fork),
         ?is({error, eagain}, call(D, P ++ [Q], fork)),
         ?is({ok, sig_dfl}, call(D, P, sigaction, [sigterm, []])),
         ok = call(D, [], kill, [hd(P), sigterm]),
         ?is({termsig, sigterm}, died(D, P))
     end},
     {"trap 23: signals do not end a control process", fun(D) ->
         P = chain(D, 2),
         [begin
              ok = call(D, [], kill, [X, S]),
              ?like({S, {signal, S, _}}, {S, next(D, event, Q)})
          end || {X, Q} <- [{os(D), []}, {lists:last(P), P}], S <- [sigterm, sighup, sigint, sigpipe, sigquit, sigusr1, sigalrm]],
         ?is(lists:last(P), call(D, P, getpid))
     end},
     {"trap 23: inherited dispositions are overridden", #{wrap => ["/bin/sh", "-c", "trap '' HUP INT TERM USR1 CHLD; exec \"$@\"", "sh"]}, fun(D) ->
         [begin
              ok = call(D, [], kill, [os(D), S]),
              ?like({signal, S, _}, next(D, event, []))
          end || S <- [sighup, sigint, sigterm, sigusr1]],
         P = chain(D, 1),
         ?is({exit_status, 0}, die(D, P))
     end},
     {"trap 24: end of input ends it; programs are signalled, their group first", fun(D) ->
         P = chain(D, 3),
         {ok, E} = call(D, P, fork),
         {ok, E} = call(D, P ++ [E], setsid),
         File = tmp("log"),
         ok = call(D, P ++ [E], execvp, ["/bin/sh", ["sh", "-c", "exec 2>/dev/null; (trap 'echo term >>$1; exit' TERM; echo go; while :; do sleep 0.02; done) & wait", "sh", File]]),
         ?is(<<"go\n">>, next(D, stdout, P ++ [E])),
         stop(D),
         ?is(true, until(fun() -> not lists:any(fun cp_os:alive/1, [os(D), E | P]) end)),
         ?is(true, until(fun() -> cp_os:lines(File) =:= ["term", ""] end))
     end},
     {"trap 25: the smallest limit of descriptors", fun(D) ->
         ok = call(D, [], setrlimit, [rlimit_nofile, {alcove_rlimit, 18, 1000}]),
         ?is(2, call(D, [], getopt, [maxchild])),
         [begin
              {ok, P} = call(D, [], fork),
              {ok, Q} = call(D, [], fork),
              ?is({error, eagain}, call(D, [], fork)),
              ?is([P, Q], [call(D, [X], getpid) || X <- [P, Q]]),
              ?is({exit_status, 0}, die(D, [P])),
              ok = call(D, [Q], execvp, ["/bin/cat", ["cat"]]),
              in(D, [Q], "x"),
              ?is(<<"x">>, next(D, stdout, [Q])),
              {ok, R} = call(D, [], fork),
              ?is(R, call(D, [R], getpid)),
              ok = call(D, [], kill, [Q, 9]),
              ?is({termsig, sigkill}, died(D, [Q])),
              ?is({exit_status, 0}, die(D, [R]))
          end || _ <- lists:seq(1, 5)]
     end},
     {"trap 25: limits lowered while children are there", fun(D) ->
         true = call(D, [], setopt, [maxchild, 8]),
         Set = fun(N) -> call(D, [], setrlimit, [rlimit_nofile, {alcove_rlimit, N, 1000}]) end,
         ok = Set(64),
         ?is(8, call(D, [], getopt, [maxchild])),
         ok = Set(32),
         ?is(4, call(D, [], getopt, [maxchild])),
         L = [begin {ok, P} = call(D, [], fork), P end || _ <- lists:seq(1, 4)],
         [?is({error, eagain}, call(D, [], fork)) || _ <- lists:seq(1, 28)],
         ?is({error, einval}, Set(24)),
         ?is({exit_status, 0}, die(D, [hd(L)])),
         {ok, _} = call(D, [], fork),
         ?is({error, eagain}, call(D, [], fork)),
         ?like(R when R =:= ok; R =:= {error, einval}; R =:= {error, eperm}, Set(16#ffffffffffffffff)),
         [?is(P, call(D, [P], getpid)) || P <- tl(L)]
     end},
     {"trap 26: calls of other systems", fun(D) ->
         ?is(undef, call(D, [], pledge, [[], []])),
         ?is(undef, call(D, [], unveil, [a, b])),
         ?is(badarg, call(D, [], pledge, [[]])),
         ?is(undef, call(D, [], jail_attach, [a])),
         ?is(badarg, call(D, [], jail_attach, []))
     end},
     {"trap 27: filters of the process and of what it forks", fun(D) ->
         Bits = fun(Names) -> list_to_binary([lists:foldl(fun(N, A) -> case cp_wire:number(N) of X when X div 8 =:= I -> A bor (1 bsl (X rem 8)); _ -> A end end, 0, Names)
                                              || I <- lists:seq(0, 15)]) end,
         ok = call(D, [], filter, [Bits([getpid]), Bits([getuid, getgid])]),
         ?is([undef, true, true], [is(call(D, [], C)) || C <- [getpid, getuid, getgid]]),
         {ok, P} = call(D, [], fork),
         ?is([true, undef, undef], [is(call(D, [P], C)) || C <- [getpid, getuid, getgid]]),
         %% Bits are never taken back, arguments not looked at.
         ok = call(D, [], filter, [<<0:128>>, <<>>]),
         ?is(undef, call(D, [], getpid, [1, 2, 3])),
         tell(D, cp_wire:raw_call(36, <<0>>)),
         ?is(undef, next(D, reply, [])),
         ?is(badarg, call(D, [], 100, [])),
         ok = call(D, [P], filter, [<<>>, Bits([filter])]),
         {ok, Q} = call(D, [P], fork),
         ?is(undef, call(D, [P, Q], filter, [<<>>, <<>>])),
         ?is([Q, undef], [call(D, [P, Q], C) || C <- [getpid, getuid]]),
         {ok, R} = call(D, [P, Q], fork),
         ?is([undef, undef, R], [call(D, [P, Q, R], getuid), call(D, [P, Q, R], filter, [<<>>, <<>>]), call(D, [P, Q, R], getpid)])
     end},
     {"trap 28: no frame is longer than 65535 bytes at the top", fun(D) ->
         [begin
              Q = chain(D, Depth),
              {ok, E} = call(D, Q, fork),
              P = Q ++ [E],
              ok = call(D, P, execvp, ["/bin/sh", ["sh", "-c", "yes 123456789 | head -c 1500000"]]),
              ?is({Depth, 1500000}, {Depth, byte_size(gather(D, stdout, P, 1500000))}),
              ?is({exit_status, 0}, died(D, P)),
              Depth =:= 0 orelse begin
                  {ok, Fd} = call(D, Q, open, ["/dev/zero", [], 0]),
                  {ok, B} = call(D, Q, read, [Fd, 1 bsl 40]),
                  ?like(N when N > 60000 andalso N =< 65535 - 8 * (Depth + 1) - 12, byte_size(B)),
                  R = 65535 - 14 - 8 * Depth,
                  ?is(R, byte_size(call(D, Q, iolist_to_bin, [binary:copy(<<"x">>, R)])))
              end
          end || Depth <- [0, 1, 4, 15]]
     end},
     {"trap 29: ids right after clone", fun(D) ->
         {ok, P} = call(D, [], clone, [[clone_newpid, clone_newuts, clone_newipc, clone_newns]]),
         ?is(1, call(D, [P], getpid)),
         {ok, Q} = call(D, [P], clone, [[clone_newpid]]),
         ?is(1, call(D, [P, Q], getpid)),
         ?is({ok, 1}, call(D, [P, Q], setsid)),
         ?is(1, call(D, [P, Q], getpgrp)),
         ?is({exit_status, 0}, die(D, [P, Q])),
         ?is({exit_status, 0}, die(D, [P]))
     end},
     {"trap 30: what a program starts with", fun(D) ->
         P = chain(D, 2),
         ok = call(D, P, execvp, ["/bin/sleep", ["sleep", "60"]]),
         X = lists:last(P),
         true = until(fun() -> stat(X, state) =:= "S" andalso string:find(link(lists:concat(["/proc/", X, "/exe"])), "carrel") =:= nomatch end),
         %% But for 32 and 33, which are libc's own and out of reach.
         Mask = fun(Y, F) -> {F, list_to_integer(field(Y, F), 16) band bnot (3 bsl 31)} end,
         ?is([{"SigBlk", 0}, {"SigIgn", 0}, {"SigCgt", 0}], [Mask(X, F) || F <- ["SigBlk", "SigIgn", "SigCgt"]]),
         ?is([0, 1, 2], [N || {N, _} <- fds(X)]),
         {ok, Q} = call(D, [], fork),
         {ok, _} = call(D, [Q], sigaction, [sighup, sig_ign]),
         {ok, 6} = call(D, [Q], open, ["/dev/null", [], 0]),
         ok = call(D, [Q], execvp, ["/bin/sleep", ["sleep", "60"]]),
         true = until(fun() -> stat(Q, state) =:= "S" andalso string:find(link(lists:concat(["/proc/", Q, "/exe"])), "carrel") =:= nomatch end),
         ?is([{"SigBlk", 0}, {"SigIgn", 1}], [Mask(Q, F) || F <- ["SigBlk", "SigIgn"]]),
         ?is([0, 1, 2, 6], [N || {N, _} <- fds(Q)])
     end}].

%% The end of a process under such a filter. A sanitizer makes calls of its own then.
last_end() ->
    case os:getenv("SANITIZED") of
        S when S =:= false; S =:= "" -> {exit_status, 0};
        _ -> {termsig, sigsys}
    end.

is(undef) -> undef;
is(N) when is_integer(N) -> true.

syscall(P) ->
    case file:read_file(lists:concat(["/proc/", P, "/syscall"])) of
        {ok, B} -> binary_to_list(B);
        _ -> "0 "
    end.

%% A program of a filter that lets through what a control process needs to answer, and does Action with the rest.
only(D, Action) ->
    Nr = [N || C <- [exit, exit_group, getpid, getrlimit, poll, read, restart_syscall, rt_sigreturn, setrlimit, sigreturn, write, writev, ugetrlimit],
               N <- [call(D, [], syscall_constant, [list_to_atom("sys_" ++ atom_to_list(C))])], is_integer(N)],
    I = fun(Code, T, F, K) -> <<Code:16/native, T, F, K:32/native>> end,
    Arch = case erlang:system_info(system_architecture) of "aarch64" ++ _ -> 16#c00000b7; _ -> 16#c000003e end,
    Prog = [I(16#20, 0, 0, 4), I(16#15, 1, 0, Arch), I(16#06, 0, 0, 0), I(16#20, 0, 0, 0)] ++
           lists:append([[I(16#15, 0, 1, N), I(16#06, 0, 0, 16#7fff0000)] || N <- Nr]) ++ [I(16#06, 0, 0, Action)],
    [<<(length(Prog)):16/native>>, <<0:48>>, {ptr, iolist_to_binary(Prog)}].
