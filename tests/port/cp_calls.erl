%% SPDX-License-Identifier: ISC
%% Each of the 100 calls, as it succeeds and as it fails; what it did is read from the kernel.
-module(cp_calls).
-export([cases/0]).
-include("cp.hrl").

cases() ->
    Cases = [{lists:concat([cp_wire:number(N), " ", N, ": ", What]), Fun} || {N, What, Fun} <- list()],
    Absent = [{lists:concat([cp_wire:number(N), " ", N, ": undef here, badarg with another arity"]),
               fun(D) ->
                   ?is(undef, call(D, [], N, Args)),
                   ?is(badarg, call(D, [], N, Args ++ [0])),
                   ?is(os(D), call(D, [], getpid))
               end} || {N, Args} <- absent()],
    [{"every call has its cases", none, fun every/0} | Cases ++ Absent].

absent() ->
    [{cap_constant, [cap_read]}, {cap_enter, []}, {cap_fcntls_get, [0]}, {cap_fcntls_limit, [0, []]},
     {cap_getmode, []}, {cap_ioctls_limit, [0, []]}, {cap_rights_limit, [0, []]}, {jail, [[<<1>>]]},
     {jail_attach, [1]}, {jail_remove, [1]}, {pledge, ["stdio", []]}, {procctl, [p_pid, 0, 1, []]},
     {unveil, ["/", "r"]}].

every() ->
    Twice = [N || {N, _, A} <- cp_wire:calls(), A >= 0, not lists:keymember(N, 1, absent()),
                  length([x || {M, _, _} <- list(), M =:= N]) < 2],
    ?is([], Twice),
    ?is(lists:seq(0, 99), lists:sort([N || {_, N, _} <- cp_wire:calls()])).

forked(D) ->
    {ok, P} = call(D, [], fork),
    P.

%% A child with namespaces of its own, whose mounts stay there.
cloned(D, Flags) ->
    {ok, P} = call(D, [], clone, [Flags]),
    case lists:member(clone_newns, Flags) of
        true -> ok = call(D, [P], mount, ["none", "/", "", [ms_rec, ms_private], "", ""]);
        false -> ok
    end,
    P.

opened(D, P, Path, Flags) ->
    {ok, Fd} = call(D, P, open, [Path, Flags, 8#600]),
    Fd.

written(Name, Text) ->
    Path = tmp(Name),
    ok = file:write_file(Path, Text),
    Path.

folder(Name) ->
    Path = tmp(Name),
    ok = file:make_dir(Path),
    Path.

info(Path) ->
    {ok, I} = file:read_link_info(Path),
    I.

mode(Path) -> element(8, info(Path)) band 8#7777.

proc(Pid, Name) -> lists:concat(["/proc/", Pid, "/", Name]).

%% A number in /proc/PID/fdinfo/FD; the flags are octal.
fdinfo(Pid, Fd, Name) ->
    [V] = [string:trim(V) || L <- cp_os:lines(proc(Pid, lists:concat(["fdinfo/", Fd]))),
                             [N, V] <- [string:split(L, ":")], N =:= Name],
    case Name of
        "flags" -> list_to_integer(V, 8);
        _ -> list_to_integer(V)
    end.

ids(Pid, Name) -> [list_to_integer(W) || W <- string:lexemes(field(Pid, Name), "\t ")].

ns(Pid, Kind) -> link(proc(Pid, "ns/" ++ Kind)).

mounted(Pid, Path) ->
    lists:any(fun(L) -> lists:member(Path, string:lexemes(L, " ")) end, cp_os:lines(proc(Pid, "mounts"))).

%% What an exec has put in place is there once the program sleeps.
settled(Pid) ->
    true = until(fun() -> stat(Pid, state) =:= "S" andalso file:read_file(proc(Pid, "cmdline")) =/= {ok, <<>>} end).

cmdline(Pid) ->
    settled(Pid),
    file:read_file(proc(Pid, "cmdline")).

vars(Pid) ->
    settled(Pid),
    {ok, B} = file:read_file(proc(Pid, "environ")),
    binary:split(B, <<0>>, [global, trim_all]).

limit(Pid, Name) ->
    [L] = [L || L <- cp_os:lines(proc(Pid, "limits")), lists:prefix(Name, L)],
    lists:sublist(string:lexemes(lists:nthtail(length(Name), L), " "), 2).

bit(Pid, Name, Signal) -> (list_to_integer(field(Pid, Name), 16) bsr (Signal - 1)) band 1.

list() ->
    [{alloc, "memory of the structure", fun(D) ->
         {ok, B, L} = call(D, [], alloc, [[<<1, 2, 3>>, {ptr, 4}, {ptr, <<"abc">>}, {ptr, 0}, {ptr, <<>>}, <<9>>]]),
         ?is([<<1, 2, 3>>, {ptr, <<0:32>>}, {ptr, <<"abc">>}, <<0:64>>, <<0:64>>, <<9>>], L),
         <<1, 2, 3, A:64/native, C:64/native, 0:64, 0:64, 9>> = B,
         true = A =/= 0 andalso C =/= 0 andalso A =/= C,
         ?is({ok, <<>>, [<<>>]}, call(D, [], alloc, [[<<>>]]))
     end},
     {alloc, "what is no structure", fun(D) ->
         [?is({X, badarg}, {X, call(D, [], alloc, [X])})
          || X <- [[], "abc", <<"abc">>, [1000], [{ptr}], [{ptr, -1}], [{pointer, 1}], [{ptr, a}], [<<1>>, a], a, 1,
                   [<<1>> | <<2>>], [{ptr, [1]}], {ptr, 1}, [{ptr, 65536}], [binary:copy(<<0>>, 65400), {ptr, 200}],
                   lists:duplicate(1024, <<0>>)]]
     end},
     {chdir, "the folder of the process", fun(D) ->
         T = folder("d"),
         ok = call(D, [], chdir, [T]),
         ?is(T, link(proc(os(D), "cwd")))
     end},
     {chdir, "errors", fun(D) ->
         Was = link(proc(os(D), "cwd")),
         ?is({error, enoent}, call(D, [], chdir, ["/nonexistent"])),
         ?is({error, enotdir}, call(D, [], chdir, ["/etc/passwd"])),
         [?is(badarg, call(D, [], chdir, [X])) || X <- ["", [], <<>>, a, 1, [a]]],
         ?is(Was, link(proc(os(D), "cwd")))
     end},
     {chmod, "the mode of a file", fun(D) ->
         F = written("f", "x"),
         ok = call(D, [], chmod, [F, 8#4710]),
         ?is(8#4710, mode(F))
     end},
     {chmod, "errors", fun(D) ->
         ?is({error, enoent}, call(D, [], chmod, ["/nonexistent", 8#700])),
         ?is(badarg, call(D, [], chmod, ["/tmp", -1])),
         ?is(badarg, call(D, [], chmod, ["/tmp", 1 bsl 32])),
         ?is(badarg, call(D, [], chmod, ["/tmp"]))
     end},
     {chown, "the owner of a file", fun(D) ->
         F = written("f", "x"),
         ok = call(D, [], chown, [F, 12345, 4294967294]),
         ?is({12345, 4294967294}, {element(13, info(F)), element(14, info(F))}),
         ok = call(D, [], chown, [F, 4294967295, 23456]),
         ?is({12345, 23456}, {element(13, info(F)), element(14, info(F))})
     end},
     {chown, "errors", fun(D) ->
         ?is({error, enoent}, call(D, [], chown, ["/nonexistent", 0, 0])),
         ?is(badarg, call(D, [], chown, ["/tmp", -1, 0])),
         ?is(badarg, call(D, [], chown, ["/tmp", 0, -1]))
     end},
     {chroot, "the root of a child", fun(D) ->
         P = forked(D),
         T = folder("d"),
         ok = call(D, [P], chroot, [T]),
         ?is(T, link(proc(P, "root"))),
         ?is("/", link(proc(os(D), "root"))),
         ?is(P, call(D, [P], getpid))
     end},
     {chroot, "errors", fun(D) ->
         ?is({error, enoent}, call(D, [], chroot, ["/nonexistent"])),
         ?is({error, enotdir}, call(D, [], chroot, ["/etc/passwd"])),
         ?is(badarg, call(D, [], chroot, [""]))
     end},
     {clearenv, "nothing is left for an exec", fun(D) ->
         P = forked(D),
         true = call(D, [P], environ) =/= [],
         ok = call(D, [P], clearenv),
         ?is([], call(D, [P], environ)),
         ok = call(D, [P], execvp, ["/bin/sleep", ["sleep", "60"]]),
         ?is([], vars(P))
     end},
     {clearenv, "the parent and one argument too many", fun(D) ->
         P = forked(D),
         ?is(badarg, call(D, [P], clearenv, [1])),
         true = call(D, [P], environ) =/= []
     end},
     {clone, "namespaces", fun(D) ->
         P = cloned(D, [clone_newuts, clone_newipc]),
         true = ns(P, "uts") =/= ns(os(D), "uts"),
         true = ns(P, "ipc") =/= ns(os(D), "ipc"),
         ?is(ns(os(D), "net"), ns(P, "net")),
         ?is(os(D), stat(P, ppid)),
         Q = cloned(D, [clone_newpid]),
         ?is(1, call(D, [Q], getpid)),
         ?is(P, call(D, [P], getpid)),
         ?is({exit_status, 0}, die(D, [Q]))
     end},
     {clone, "errors", fun(D) ->
         ?is(badarg, call(D, [], clone, [clone_newuts])),
         ?is({error, enotsup}, call(D, [], clone, [[clone_newuts, clone_vm]])),
         ?is({error, einval}, call(D, [], clone, [16#10000])),
         ?is({error, einval}, call(D, [], clone, [16#10000])),
         Fds = fds(os(D)),
         ?is({error, einval}, call(D, [], clone, [16#10000])),
         ?is(Fds, fds(os(D))),
         ?is([], call(D, [], cpid))
     end},
     {clone_constant, "values", fun(D) -> constants(D, clone_constant, [{clone_newns, 16#20000}, {clone_newpid, 16#20000000},
                                                                    {clone_newcgroup, 16#2000000}, {clone_newtime, 16#80}]) end},
     {clone_constant, "errors", fun(D) -> no_constants(D, clone_constant, [clone_vm, clone_thread]) end},
     {close, "the descriptor is gone", fun(D) ->
         Before = fds(os(D)),
         Fd = opened(D, [], "/dev/null", []),
         true = lists:member({Fd, "/dev/null"}, fds(os(D))),
         ok = call(D, [], close, [Fd]),
         ?is(Before, fds(os(D)))
     end},
     {close, "errors", fun(D) ->
         ?is({error, ebadf}, call(D, [], close, [9999])),
         ?is({error, ebadf}, call(D, [], close, [-1])),
         ?is(badarg, call(D, [], close, [a])),
         ?is(badarg, call(D, [], close, [1 bsl 31]))
     end},
     {connect, "a socket of the test", fun(D) ->
         Path = tmp("s"),
         {ok, L} = gen_tcp:listen(0, [{ifaddr, {local, Path}}, binary, {active, false}]),
         {ok, Fd} = call(D, [], socket, [af_unix, sock_stream, 0]),
         Pad = 108 - length(Path),
         ok = call(D, [], connect, [Fd, [<<1:16/native>>, list_to_binary(Path), <<0:(Pad * 8)>>]]),
         {ok, A} = gen_tcp:accept(L, 1000),
         {ok, 5} = call(D, [], write, [Fd, "hello"]),
         ?is({ok, <<"hello">>}, gen_tcp:recv(A, 5, 1000)),
         ok = gen_tcp:send(A, "there"),
         ?is({ok, <<"there">>}, call(D, [], read, [Fd, 100])),
         gen_tcp:close(A),
         gen_tcp:close(L)
     end},
     {connect, "errors", fun(D) ->
         {ok, Fd} = call(D, [], socket, [af_unix, sock_stream, 0]),
         ?is({error, enoent}, call(D, [], connect, [Fd, [<<1:16/native>>, <<"/nonexistent">>, <<0:(96 * 8)>>]])),
         ?is({error, ebadf}, call(D, [], connect, [9999, [<<1:16/native>>, <<0:(108 * 8)>>]])),
         ?like({error, _}, call(D, [], connect, [Fd, []])),
         ?is(badarg, call(D, [], connect, [Fd, [<<0:(129 * 8)>>]])),
         ?is(badarg, call(D, [], connect, [Fd, <<1>>]))
     end},
     {cpid, "the descriptors are those of the process", fun(D) ->
         P = forked(D),
         [{alcove_pid, P, -1, 15, Ctl, In, Out, Err}] = call(D, [], cpid),
         Fds = fds(os(D)),
         ?is("socket:", lists:sublist(proplists:get_value(Ctl, Fds), 7)),
         [?is("pipe:", lists:sublist(proplists:get_value(F, Fds), 5)) || F <- [In, Out, Err]],
         ?is(P, call(D, [P], getpid)),
         Child = fds(P),
         ?is([proplists:get_value(F, Fds) || F <- [In, Out, Err]], [proplists:get_value(F, Child) || F <- [0, 1, 2]]),
         ok = call(D, [P], execvp, ["/bin/sleep", ["sleep", "60"]]),
         ?is([{alcove_pid, P, -1, 15, -2, In, Out, Err}], call(D, [], cpid))
     end},
     {cpid, "nothing, and one argument too many", fun(D) ->
         ?is([], call(D, [], cpid)),
         ?is(badarg, call(D, [], cpid, [1]))
     end},
     {environ, "that of the process", fun(D) ->
         ?is(lists:sort(vars(os(D))), lists:sort(call(D, [], environ))),
         ok = call(D, [], setenv, ["CP_NEW", "a=b", 0]),
         true = lists:member(<<"CP_NEW=a=b">>, call(D, [], environ))
     end},
     {environ, "one argument too many", fun(D) -> ?is(badarg, call(D, [], environ, [1])) end},
     {errno_id, "names", fun(D) ->
         ?is([eperm, enoent, enotsup, edeadlk, eownerdead, estale],
             [call(D, [], errno_id, [N]) || N <- [1, 2, 95, 35, 130, 116]])
     end},
     {errno_id, "errors", fun(D) ->
         ?is([unknown, unknown, unknown, badarg], [call(D, [], errno_id, [N]) || N <- [0, -1, 99999, a]])
     end},
     {execve, "the program, its arguments and its environment", fun(D) ->
         P = forked(D),
         ok = call(D, [P], execve, ["/bin/sleep", ["any", "60"], ["A=1", <<"B=">>, [$C, "=", [<<"3">>]]]]),
         ?is([<<"A=1">>, <<"B=">>, <<"C=3">>], vars(P)),
         ?is({ok, <<"any", 0, "60", 0>>}, cmdline(P)),
         Q = forked(D),
         ok = call(D, [Q], execve, ["/bin/sleep", ["sleep", "60"], []]),
         ?is([], vars(Q))
     end},
     {execve, "errors leave a control process", fun(D) ->
         P = forked(D),
         ?is({error, enoent}, call(D, [P], execve, ["/nonexistent", ["a"], []])),
         ?is({error, eacces}, call(D, [P], execve, ["/etc/passwd", ["a"], []])),
         ?is(badarg, call(D, [P], execve, ["/bin/true", ["a"], [a]])),
         ?is(badarg, call(D, [P], execve, ["/bin/true", ["a"], [1, 2]])),
         ?is(badarg, call(D, [P], execve, ["/bin/true", "true", []])),
         ?is(badarg, call(D, [P], execve, ["", ["true"], []])),
         ?is(P, call(D, [P], getpid)),
         [{alcove_pid, P, _, _, Ctl, _, _, _}] = call(D, [], cpid),
         true = Ctl >= 0
     end},
     {execvp, "found by PATH", fun(D) ->
         P = forked(D),
         T = folder("bin"),
         {ok, _} = file:copy("/bin/sleep", T ++ "/cp_sleep"),
         ok = file:change_mode(T ++ "/cp_sleep", 8#755),
         ok = call(D, [P], setenv, ["PATH", T, 1]),
         ok = call(D, [P], execvp, ["cp_sleep", ["cp", "60"]]),
         ?is(T ++ "/cp_sleep", link(proc(P, "exe")))
     end},
     {execvp, "errors", fun(D) ->
         P = forked(D),
         ?is({error, enoent}, call(D, [P], execvp, ["cp_nonexistent", ["a"]])),
         ?is(badarg, call(D, [P], execvp, ["sleep", a])),
         ?is(P, call(D, [P], getpid))
     end},
     {exit, "the status is the low byte", fun(D) ->
         [begin
              P = forked(D),
              ok = call(D, [P], exit, [N]),
              ?is({exit_status, N band 255}, died(D, [P])),
              false = alive(P)
          end || N <- [0, 7, 263, -1]]
     end},
     {exit, "errors", fun(D) ->
         P = forked(D),
         ?is(badarg, call(D, [P], exit, [a])),
         ?is(badarg, call(D, [P], exit, [])),
         ?is(P, call(D, [P], getpid))
     end},
     {fcntl, "flags of descriptors", fun(D) ->
         Fd = opened(D, [], "/dev/null", []),
         {ok, 0} = call(D, [], fcntl, [Fd, f_getfd, 0]),
         {ok, 0} = call(D, [], fcntl, [Fd, f_setfd, 1]),
         true = fdinfo(os(D), Fd, "flags") band 8#2000000 =/= 0,
         {ok, 1} = call(D, [], fcntl, [Fd, f_getfd, 0]),
         {ok, 0} = call(D, [], fcntl, [Fd, f_setfl, 8#2000]),
         true = fdinfo(os(D), Fd, "flags") band 8#2000 =/= 0
     end},
     {fcntl, "errors", fun(D) ->
         ?is({error, ebadf}, call(D, [], fcntl, [9999, f_getfd, 0])),
         ?is({error, einval}, call(D, [], fcntl, [0, 9999, 0])),
         ?is({error, enotsup}, call(D, [], fcntl, [0, f_nosuch, 0])),
         [?is(badarg, call(D, [], fcntl, [0, f_getfd, X])) || X <- [[], <<>>, fd_cloexec, 1 bsl 31, [1]]]
     end},
     {fcntl_constant, "values", fun(D) -> constants(D, fcntl_constant, [{f_setfd, 2}, {fd_cloexec, 1}, {f_setpipe_sz, 1031}]) end},
     {fcntl_constant, "errors", fun(D) -> no_constants(D, fcntl_constant, [f_nosuch, o_rdonly]) end},
     {fexecve, "the program behind a descriptor", fun(D) ->
         P = forked(D),
         Fd = opened(D, [P], "/bin/sleep", [o_cloexec]),
         ok = call(D, [P], fexecve, [Fd, ["fx", "60"], ["K=V"]]),
         ?is([<<"K=V">>], vars(P)),
         ?is({ok, <<"fx", 0, "60", 0>>}, cmdline(P))
     end},
     {fexecve, "errors", fun(D) ->
         P = forked(D),
         Fd = opened(D, [P], "/bin/sleep", []),
         ?like({error, E} when E =:= ebadf; E =:= einval, call(D, [P], fexecve, [9999, ["a"], ["K=V"]])),
         ?is({error, einval}, call(D, [P], fexecve, [Fd, [], [""]])),
         ?is({error, einval}, call(D, [P], fexecve, [Fd, [""], []])),
         ?is(badarg, call(D, [P], fexecve, [Fd, [""], a])),
         ?is(P, call(D, [P], getpid))
     end},
     {file_constant, "values", fun(D) -> constants(D, file_constant, [{o_rdonly, 0}, {o_rdwr, 2}, {o_cloexec, 8#2000000}]) end},
     {file_constant, "errors", fun(D) -> no_constants(D, file_constant, [o_nosuch, ms_rdonly]) end},
     {filter, "the process and what it forks", fun(D) ->
         N = 1 bsl 4,
         ok = call(D, [], filter, [<<0, 0, 0, 0, N>>, <<>>]),
         ?is(undef, call(D, [], getpid)),
         P = forked(D),
         ?is(P, call(D, [P], getpid)),
         ok = call(D, [], filter, [<<>>, <<0, 0, 0, 0, N>>]),
         Q = forked(D),
         ?is(undef, call(D, [Q], getpid)),
         {ok, R} = call(D, [Q], fork),
         ?is(undef, call(D, [Q, R], getpid)),
         ?is(P, call(D, [P], getpid))
     end},
     {filter, "errors", fun(D) ->
         [?is(badarg, call(D, [], filter, X)) || X <- [[<<0:136>>, <<>>], [<<>>, <<0:136>>], ["", <<>>], [<<>>, a], [1, <<>>], [<<>>]]],
         ok = call(D, [], filter, [<<0:128>>, <<0:128>>]),
         ?is(os(D), call(D, [], getpid))
     end},
     {fork, "a child of the process", fun(D) ->
         {ok, P} = call(D, [], fork),
         ?is(os(D), stat(P, ppid)),
         ?is([P], children(os(D))),
         ?is(P, call(D, [P], getpid)),
         ?is({exit_status, 0}, die(D, [P])),
         ?is([], children(os(D)))
     end},
     {fork, "no slot, too deep", fun(D) ->
         true = call(D, [], setopt, [maxchild, 1]),
         P = forked(D),
         ?is({error, eagain}, call(D, [], fork)),
         true = call(D, [P], setopt, [maxforkdepth, 1]),
         ?is({error, eagain}, call(D, [P], fork)),
         ?is(badarg, call(D, [], fork, [1])),
         ?is([P], children(os(D)))
     end},
     {getcwd, "as the kernel sees it", fun(D) ->
         ?is({ok, list_to_binary(link(proc(os(D), "cwd")))}, call(D, [], getcwd)),
         T = folder("d"),
         ok = call(D, [], chdir, [T]),
         ?is({ok, list_to_binary(T)}, call(D, [], getcwd))
     end},
     {getcwd, "a folder that is gone", fun(D) ->
         T = folder("d"),
         ok = call(D, [], chdir, [T]),
         ok = file:del_dir(T),
         ?is({error, enoent}, call(D, [], getcwd))
     end},
     {getenv, "a value", fun(D) ->
         ok = call(D, [], setenv, ["CP_A", "x", 1]),
         ?is(<<"x">>, call(D, [], getenv, ["CP_A"])),
         ok = call(D, [], setenv, ["CP_A", "", 1]),
         ?is(<<>>, call(D, [], getenv, [<<"CP_A">>]))
     end},
     {getenv, "none, and no name", fun(D) ->
         ?is(false, call(D, [], getenv, ["CP_NOSUCH"])),
         [?is(badarg, call(D, [], getenv, [X])) || X <- ["", <<>>, a, 1]]
     end},
     {getgid, "that of the process", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setresgid, [12345, 23456, 34567]),
         ?is(12345, call(D, [P], getgid)),
         ?is(hd(ids(os(D), "Gid")), call(D, [], getgid))
     end},
     {getgid, "one argument too many", fun(D) -> ?is(badarg, call(D, [], getgid, [1])) end},
     {getgroups, "those of the process", fun(D) ->
         {ok, L} = call(D, [], getgroups),
         ?is(lists:sort(ids(os(D), "Groups")), lists:sort(L)),
         P = forked(D),
         ok = call(D, [P], setgroups, [[1, 2, 70000]]),
         {ok, M} = call(D, [P], getgroups),
         ?is([1, 2, 70000], lists:sort(M))
     end},
     {getgroups, "none, and one argument too many", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setgroups, [[]]),
         ?is({ok, []}, call(D, [P], getgroups)),
         ?is(badarg, call(D, [], getgroups, [1]))
     end},
     {gethostname, "that of the system", fun(D) ->
         {ok, N} = call(D, [], gethostname),
         ?is(string:trim(os:cmd("uname -n")), binary_to_list(N))
     end},
     {gethostname, "one argument too many", fun(D) -> ?is(badarg, call(D, [], gethostname, [1])) end},
     {getopt, "the values at the start", fun(D) ->
         ?is([1, 1, 0, 0, 0, -1, 16, 15],
             [call(D, [], getopt, [O]) || O <- [exit_status, termsig, stdin_closed, stdout_closed, stderr_closed,
                                                flowcontrol, maxforkdepth, signaloneof]]),
         ?is(64, call(D, [], getopt, [maxchild]))
     end},
     {getopt, "no such option", fun(D) ->
         ?is(false, call(D, [], getopt, [nosuch])),
         ?is(false, call(D, [], getopt, ['MAXCHILD'])),
         ?is(badarg, call(D, [], getopt, ["maxchild"]))
     end},
     {getpgrp, "that of the process", fun(D) ->
         P = forked(D),
         ?is(stat(P, pgrp), call(D, [P], getpgrp)),
         ok = call(D, [P], setpgid, [0, 0]),
         ?is(P, call(D, [P], getpgrp))
     end},
     {getpgrp, "one argument too many", fun(D) -> ?is(badarg, call(D, [], getpgrp, [1])) end},
     {getpid, "that of the process", fun(D) ->
         ?is(os(D), call(D, [], getpid)),
         P = forked(D),
         ?is(P, call(D, [P], getpid))
     end},
     {getpid, "one argument too many", fun(D) -> ?is(badarg, call(D, [], getpid, [1])) end},
     {getpriority, "that of the process", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setpriority, [prio_process, 0, 7]),
         ?is({ok, 7}, call(D, [], getpriority, [prio_process, P])),
         ok = call(D, [P], setpriority, [prio_process, 0, 19]),
         ?is({ok, stat(P, nice)}, call(D, [P], getpriority, [prio_process, 0]))
     end},
     {getpriority, "errors", fun(D) ->
         ?is({error, esrch}, call(D, [], getpriority, [prio_process, 99999999])),
         ?is({error, einval}, call(D, [], getpriority, [99, 0])),
         ?is({error, enotsup}, call(D, [], getpriority, [prio_nosuch, 0])),
         ?is(badarg, call(D, [], getpriority, [[prio_process], 0]))
     end},
     {getresgid, "three ids", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setresgid, [12345, 23456, 34567]),
         ?is({ok, 12345, 23456, 34567}, call(D, [P], getresgid))
     end},
     {getresgid, "one argument too many", fun(D) -> ?is(badarg, call(D, [], getresgid, [1])) end},
     {getresuid, "three ids", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setresuid, [12345, 23456, 34567]),
         ?is({ok, 12345, 23456, 34567}, call(D, [P], getresuid))
     end},
     {getresuid, "one argument too many", fun(D) -> ?is(badarg, call(D, [], getresuid, [1])) end},
     {getrlimit, "as the kernel sees it", fun(D) ->
         {ok, {alcove_rlimit, Cur, Max}} = call(D, [], getrlimit, [rlimit_nofile]),
         ?is([integer_to_list(Cur), integer_to_list(Max)], limit(os(D), "Max open files")),
         ok = call(D, [], setrlimit, [rlimit_core, {alcove_rlimit, 0, 16#ffffffffffffffff}]),
         ?is({ok, {alcove_rlimit, 0, 16#ffffffffffffffff}}, call(D, [], getrlimit, [rlimit_core]))
     end},
     {getrlimit, "errors", fun(D) ->
         ?is({error, einval}, call(D, [], getrlimit, [9999])),
         ?is({error, enotsup}, call(D, [], getrlimit, [rlimit_nosuch])),
         ?is(badarg, call(D, [], getrlimit, [[rlimit_core]]))
     end},
     {getsid, "of any process", fun(D) ->
         ?is({ok, stat(os(D), session)}, call(D, [], getsid, [0])),
         P = forked(D),
         {ok, P} = call(D, [P], setsid),
         ?is({ok, P}, call(D, [], getsid, [P]))
     end},
     {getsid, "errors", fun(D) ->
         ?is({error, esrch}, call(D, [], getsid, [99999999])),
         ?is(badarg, call(D, [], getsid, [a]))
     end},
     {getuid, "that of the process", fun(D) ->
         ?is(hd(ids(os(D), "Uid")), call(D, [], getuid)),
         P = forked(D),
         ok = call(D, [P], setuid, [12345]),
         ?is(12345, call(D, [P], getuid))
     end},
     {getuid, "one argument too many", fun(D) -> ?is(badarg, call(D, [], getuid, [1])) end},
     {ioctl, "a value, a binary, a structure", fun(D) ->
         Fd = opened(D, [], "/dev/null", []),
         ?is({ok, 0, <<>>}, call(D, [], ioctl, [Fd, fioclex, 0])),
         true = fdinfo(os(D), Fd, "flags") band 8#2000000 =/= 0,
         {ok, S} = call(D, [], socket, [af_unix, sock_dgram, 0]),
         {ok, 0, <<"lo", 0:112, Lo:32/native, _/binary>> = Out} = call(D, [], ioctl, [S, siocgifindex, <<"lo", 0:(38 * 8)>>]),
         ?is(40, byte_size(Out)),
         ?is(string:trim(os:cmd("cat /sys/class/net/lo/ifindex")), integer_to_list(Lo)),
         {ok, 0, [<<"lo", 0:112>>, <<Lo:32/native, _/binary>>]} =
             call(D, [], ioctl, [S, siocgifindex, [<<"lo", 0:112>>, <<0:(24 * 8)>>]]),
         ?is({ok, 0, <<>>}, call(D, [], ioctl, [S, fionread, <<>>]))
     end},
     {ioctl, "errors", fun(D) ->
         Fd = opened(D, [], "/dev/null", []),
         ?is({error, enotty}, call(D, [], ioctl, [Fd, tiocgwinsz, <<0:64>>])),
         ?is({error, enotty}, call(D, [], ioctl, [Fd, -1, 0])),
         ?is({error, ebadf}, call(D, [], ioctl, [9999, fioclex, 0])),
         ?is({error, enotsup}, call(D, [], ioctl, [Fd, tiocnosuch, 0])),
         [?is({X, badarg}, {X, call(D, [], ioctl, [Fd, fioclex, X])}) || X <- [[], "abc", a, 1 bsl 31, -(1 bsl 31) - 1, [[<<1>>]]]],
         ?is(badarg, call(D, [], ioctl, [Fd, (1 bsl 64) - 1, 0]))
     end},
     {ioctl_constant, "values", fun(D) -> constants(D, ioctl_constant, [{fionread, 16#541b}, {tunsetiff, 16#400454ca}, {siocgifindex, 16#8933},
                                                                    {siogifindex, 16#8933}, {tiocgwinsz, 16#5413}]) end},
     {ioctl_constant, "errors", fun(D) -> no_constants(D, ioctl_constant, [fionosuch]) end},
     {iolist_to_bin, "whatever the VM sends", fun(D) ->
         [?is(iolist_to_binary(X), call(D, [], iolist_to_bin, [X]))
          || X <- ["", [], <<>>, "abc", <<0, 255>>, [<<"a">>, $b, ["c", [<<"d">>], []]], lists:seq(0, 255), [[[1, 2], 3]]]]
     end},
     {iolist_to_bin, "errors", fun(D) ->
         [?is({X, badarg}, {X, call(D, [], iolist_to_bin, [X])})
          || X <- [a, 1, [a], [256, 1], [-1], [1.0], {}, #{}, [<<1>> | <<2>>], ["a" | <<"b">>]]]
     end},
     {kill, "a signal arrives", fun(D) ->
         P = forked(D),
         ok = call(D, [P], execvp, ["/bin/sleep", ["sleep", "60"]]),
         ok = call(D, [], kill, [P, 0]),
         ok = call(D, [], kill, [P, sigstop]),
         true = until(fun() -> stat(P, state) =:= "T" end),
         ok = call(D, [], kill, [P, 9]),
         ?is({termsig, sigkill}, died(D, [P])),
         false = alive(P)
     end},
     {kill, "errors", fun(D) ->
         ?is({error, esrch}, call(D, [], kill, [99999999, 0])),
         ?is({error, einval}, call(D, [], kill, [os(D), 999])),
         ?is({error, enotsup}, call(D, [], kill, [os(D), signosuch])),
         ?is(badarg, call(D, [], kill, [os(D), [sigterm]])),
         ?is(badarg, call(D, [], kill, [a, 0]))
     end},
     {link, "two names", fun(D) ->
         F = written("f", "x"),
         G = tmp("g"),
         ok = call(D, [], link, [F, G]),
         ?is(2, element(9, info(G))),
         ?is(element(12, info(F)), element(12, info(G)))
     end},
     {link, "errors", fun(D) ->
         F = written("f", "x"),
         ?is({error, enoent}, call(D, [], link, ["/nonexistent", tmp("g")])),
         ?is({error, eexist}, call(D, [], link, [F, F])),
         ?is(badarg, call(D, [], link, ["", F]))
     end},
     {lseek, "the offset", fun(D) ->
         Fd = opened(D, [], written("f", "0123456789"), []),
         ok = call(D, [], lseek, [Fd, 4, 0]),
         ?is(4, fdinfo(os(D), Fd, "pos")),
         ok = call(D, [], lseek, [Fd, -1, 1]),
         ?is({ok, <<"34">>}, call(D, [], read, [Fd, 2])),
         ok = call(D, [], lseek, [Fd, 1 bsl 40, 0]),
         ?is(1 bsl 40, fdinfo(os(D), Fd, "pos"))
     end},
     {lseek, "errors", fun(D) ->
         Fd = opened(D, [], written("f", "0123456789"), []),
         ?is({error, einval}, call(D, [], lseek, [Fd, -1, 0])),
         ?is({error, espipe}, call(D, [], lseek, [0, 0, 0])),
         ?is({error, ebadf}, call(D, [], lseek, [9999, 0, 0])),
         ?is(badarg, call(D, [], lseek, [Fd, 1 bsl 63, 0])),
         ?is(badarg, call(D, [], lseek, [Fd, 0, seek_set]))
     end},
     {mkdir, "a folder", fun(D) ->
         T = tmp("d"),
         ok = call(D, [], mkdir, [T, 8#710]),
         ?is({directory, 8#710}, {element(3, info(T)), mode(T)})
     end},
     {mkdir, "errors", fun(D) ->
         ?is({error, eexist}, call(D, [], mkdir, ["/", 8#700])),
         ?is({error, enoent}, call(D, [], mkdir, ["/nonexistent/a", 8#700])),
         ?is(badarg, call(D, [], mkdir, [tmp("d"), a]))
     end},
     {mkfifo, "a fifo", fun(D) ->
         T = tmp("p"),
         ok = call(D, [], mkfifo, [T, 8#640]),
         ?is({other, 8#640}, {element(3, info(T)), mode(T)}),
         ?is(8#10000, element(8, info(T)) band 8#170000)
     end},
     {mkfifo, "errors", fun(D) ->
         ?is({error, eexist}, call(D, [], mkfifo, ["/", 8#700])),
         ?is(badarg, call(D, [], mkfifo, ["", 8#700]))
     end},
     {mount, "a file system in a namespace", fun(D) ->
         P = cloned(D, [clone_newns]),
         T = folder("m"),
         ok = call(D, [P], mount, ["tmpfs", T, "tmpfs", [ms_nosuid, ms_nodev], <<"size=1m,mode=711", 0>>, ""]),
         true = mounted(P, T),
         false = mounted(os(D), T),
         [L] = [L || L <- cp_os:lines(proc(P, "mounts")), string:find(L, T) =/= nomatch],
         [true = string:find(L, W) =/= nomatch || W <- ["nosuid", "nodev", "size=1024k", "mode=711"]],
         ok = call(D, [P], mount, ["", T, "", [ms_remount, ms_rdonly, ms_nosuid, ms_nodev], "", ""]),
         ?is({error, erofs}, call(D, [P], mkdir, [T ++ "/a", 8#700]))
     end},
     {mount, "errors", fun(D) ->
         P = cloned(D, [clone_newns]),
         T = folder("m"),
         ?is({error, enodev}, call(D, [P], mount, ["a", T, "nosuchfs", [], "", ""])),
         ?is({error, enoent}, call(D, [P], mount, ["a", "/nonexistent", "tmpfs", [], "", ""])),
         ?is({error, enotsup}, call(D, [P], mount, ["a", T, "tmpfs", [ms_nosuch], "", ""])),
         [?is({X, badarg}, {X, call(D, [P], mount, ["a", T, "tmpfs", X, "", ""])})
          || X <- [ms_rdonly, [ms_nouser], [ms_mgc_val], -1, 1 bsl 31, "a" ++ [{}]]],
         ?is(badarg, call(D, [P], mount, ["a", "", "tmpfs", [], "", ""])),
         false = mounted(P, T)
     end},
     {mount_constant, "values", fun(D) -> constants(D, mount_constant, [{ms_rdonly, 1}, {rdonly, 1}, {noatime, 1024}, {mnt_detach, 2},
                                                                    {umount_nofollow, 8}, {ms_nouser, 18446744071562067968}]) end},
     {mount_constant, "errors", fun(D) -> no_constants(D, mount_constant, [ms_nosuch, ms_fss]) end},
     {open, "a descriptor with its flags", fun(D) ->
         F = tmp("f"),
         {ok, Fd} = call(D, [], open, [F, [o_rdwr, o_creat, o_excl, o_append, o_cloexec], 8#640]),
         ?is(8#640, mode(F)),
         ?is(F, proplists:get_value(Fd, fds(os(D)))),
         ?is(2 bor 8#2000 bor 8#2000000, fdinfo(os(D), Fd, "flags") band 8#2002003),
         {ok, Fd1} = call(D, [], open, [F, 8#2001, 0]),
         ?is(8#2001, fdinfo(os(D), Fd1, "flags") band 8#2003),
         ?is(6, Fd)
     end},
     {open, "errors", fun(D) ->
         ?is({error, enoent}, call(D, [], open, ["/nonexistent", [], 0])),
         ?is({error, eisdir}, call(D, [], open, ["/", [o_wronly], 0])),
         ?is({error, enotsup}, call(D, [], open, ["/", [o_rdonly, o_nosuch], 0])),
         [?is(badarg, call(D, [], open, X)) || X <- [["/", o_rdonly, 0], ["/", [], -1], ["", [], 0], ["/", [{}], 0], ["/", [o_rdonly | o_wronly], 0], ["/", []]]]
     end},
     {pivot_root, "another root", fun(D) ->
         P = cloned(D, [clone_newns]),
         T = folder("r"),
         ok = call(D, [P], mount, ["tmpfs", T, "tmpfs", [], "", ""]),
         ok = call(D, [P], mkdir, [T ++ "/old", 8#700]),
         ok = call(D, [P], pivot_root, [T, T ++ "/old"]),
         ok = call(D, [P], chdir, ["/"]),
         ?is({ok, ["old"]}, file:list_dir(proc(P, "root/"))),
         {ok, L} = call(D, [P], readdir, ["/"]),
         ?is([<<".">>, <<"..">>, <<"old">>], lists:sort(L)),
         ok = call(D, [P], umount2, ["/old", [mnt_detach]]),
         ?is({ok, []}, file:list_dir(proc(P, "root/old"))),
         ?is(P, call(D, [P], getpid))
     end},
     {pivot_root, "errors", fun(D) ->
         P = cloned(D, [clone_newns]),
         T = folder("r"),
         ?like({error, E} when E =:= einval; E =:= ebusy, call(D, [P], pivot_root, [T, T])),
         ?is({error, enoent}, call(D, [P], pivot_root, ["/nonexistent", "/"])),
         ?is(badarg, call(D, [P], pivot_root, ["", "/"]))
     end},
     {prctl, "the name of the process", fun(D) ->
         ?is({ok, 0, <<"abc", 0, 1>>, 0, 0, 0}, call(D, [], prctl, [pr_set_name, <<"abc", 0, 1>>, 0, 0, 0])),
         ?is("abc", hd(cp_os:lines(proc(os(D), "comm")))),
         {ok, 0, <<"abc", _/binary>> = N, 0, 0, 0} = call(D, [], prctl, [pr_get_name, <<0:136>>, 0, [], 0]),
         ?is(17, byte_size(N)),
         {ok, 0, 9, 0, 0, 0} = call(D, [], prctl, [pr_set_pdeathsig, 9, 0, 0, 0]),
         ?is({ok, 0, <<9, 0, 0, 0>>, 0, 0, 0}, call(D, [], prctl, [pr_get_pdeathsig, <<0:32>>, 0, 0, 0])),
         ?is({ok, 0, [<<9, 0, 0, 0>>], 0, 0, 0}, call(D, [], prctl, [pr_get_pdeathsig, [<<0:32>>], 0, 0, 0])),
         {ok, 0, 0, 0, 0, 0} = call(D, [], prctl, [pr_set_pdeathsig, 0, 0, 0, 0])
     end},
     {prctl, "errors", fun(D) ->
         ?is({error, einval}, call(D, [], prctl, [99999, 0, 0, 0, 0])),
         ?is({error, enotsup}, call(D, [], prctl, [pr_nosuch, 0, 0, 0, 0])),
         ?is({error, enotsup}, call(D, [], prctl, [pr_set_name, pr_nosuch, 0, 0, 0])),
         [?is({X, badarg}, {X, call(D, [], prctl, [pr_set_name, X, 0, 0, 0])}) || X <- ["abc", -1, 1 bsl 31, [a], {}, pr_set_ptracer_any]],
         ?is(badarg, call(D, [], prctl, [[pr_set_name], 0, 0, 0, 0]))
     end},
     {prctl_constant, "values", fun(D) -> constants(D, prctl_constant, [{pr_set_name, 15}, {seccomp_mode_filter, 2}, {seccomp_ret_kill, 0},
                                                                    {seccomp_ret_allow, 16#7fff0000}, {pr_set_ptracer_any, (1 bsl 64) - 1}]) end},
     {prctl_constant, "errors", fun(D) -> no_constants(D, prctl_constant, [pr_set, pr_nosuch]) end},
     {ptrace, "a tracer", fun(D) ->
         ?is({ok, sig_dfl}, call(D, [], sigaction, [sigchld, sig_info])),
         P = forked(D),
         ?is({ok, 0, <<>>, <<>>}, call(D, [], ptrace, [ptrace_seize, P, 0, 0])),
         ?is(integer_to_list(os(D)), field(P, "TracerPid")),
         ?is({ok, 0, <<>>, <<>>}, call(D, [], ptrace, [ptrace_interrupt, P, 0, 0])),
         true = until(fun() -> stat(P, state) =:= "t" end),
         ?like({ok, P, _, [{stopsig, sigtrap}]}, call(D, [], waitpid, [P, []])),
         {ok, 0, <<>>, <<5:32/native, _/binary>> = Info} = call(D, [], ptrace, [ptrace_getsiginfo, P, 0, <<0:1024>>]),
         ?is(128, byte_size(Info)),
         {ok, 0, <<>>, <<>>} = call(D, [], ptrace, [ptrace_detach, P, 0, 0]),
         ?is("0", field(P, "TracerPid")),
         ?is(P, call(D, [P], getpid))
     end},
     {ptrace, "errors", fun(D) ->
         ?is({error, esrch}, call(D, [], ptrace, [ptrace_attach, 99999999, 0, 0])),
         ?is({error, enotsup}, call(D, [], ptrace, [ptrace_nosuch, 0, 0, 0])),
         [?is({X, badarg}, {X, call(D, [], ptrace, [ptrace_attach, 1, X, 0])}) || X <- [[], a, "abc", -1, 1 bsl 31]],
         [?is({X, badarg}, {X, call(D, [], ptrace, [ptrace_attach, 1, 0, X])}) || X <- [[], a, "abc", -1, 1 bsl 31]]
     end},
     {ptrace_constant, "values", fun(D) -> constants(D, ptrace_constant, [{ptrace_traceme, 0}, {ptrace_cont, 7}, {ptrace_seize, 16#4206},
                                                                      {ptrace_o_exitkill, 16#100000}]) end},
     {ptrace_constant, "errors", fun(D) -> no_constants(D, ptrace_constant, [ptrace_nosuch]) end},
     {read, "bytes of a file", fun(D) ->
         Fd = opened(D, [], written("f", "0123456789"), []),
         ?is({ok, <<"0123">>}, call(D, [], read, [Fd, 4])),
         ?is({ok, <<>>}, call(D, [], read, [Fd, 0])),
         ?is({ok, <<"456789">>}, call(D, [], read, [Fd, 1 bsl 63])),
         ?is({ok, <<>>}, call(D, [], read, [Fd, 4])),
         ?is(10, fdinfo(os(D), Fd, "pos"))
     end},
     {read, "errors", fun(D) ->
         ?is({error, ebadf}, call(D, [], read, [9999, 1])),
         ?is({error, eisdir}, call(D, [], read, [opened(D, [], "/", []), 1])),
         ?is(badarg, call(D, [], read, [0, -1])),
         ?is(badarg, call(D, [], read, [0, 1 bsl 64]))
     end},
     {readdir, "names", fun(D) ->
         T = folder("d"),
         [ok = file:write_file(T ++ "/" ++ N, "") || N <- ["a", "b", "cc"]],
         {ok, L} = call(D, [], readdir, [T]),
         ?is([<<".">>, <<"..">>, <<"a">>, <<"b">>, <<"cc">>], lists:sort(L))
     end},
     {readdir, "errors", fun(D) ->
         Fds = fds(os(D)),
         ?is({error, enoent}, call(D, [], readdir, ["/nonexistent"])),
         ?is({error, enotdir}, call(D, [], readdir, ["/etc/passwd"])),
         ?is(badarg, call(D, [], readdir, [[]])),
         ?is(Fds, fds(os(D)))
     end},
     {rlimit_constant, "values", fun(D) -> constants(D, rlimit_constant, [{rlimit_cpu, 0}, {rlimit_nofile, 7}, {rlimit_rttime, 15}]) end},
     {rlimit_constant, "errors", fun(D) -> no_constants(D, rlimit_constant, [rlimit_nosuch]) end},
     {rmdir, "a folder is gone", fun(D) ->
         T = folder("d"),
         ok = call(D, [], rmdir, [T]),
         ?is({error, enoent}, file:read_link_info(T))
     end},
     {rmdir, "errors", fun(D) ->
         ?is({error, enoent}, call(D, [], rmdir, ["/nonexistent"])),
         ?is({error, enotdir}, call(D, [], rmdir, [written("f", "")])),
         ?is(badarg, call(D, [], rmdir, [<<>>]))
     end},
     {seccomp, "a filter", fun(D) ->
         P = forked(D),
         Allow = [<<1:16/native>>, <<0:48>>, {ptr, <<6:16/native, 0, 0, 16#7fff0000:32/native>>}],
         ?is("0", field(P, "Seccomp")),
         ok = call(D, [P], seccomp, [seccomp_set_mode_filter, 0, Allow]),
         ?is("2", field(P, "Seccomp")),
         ?like({ok, 0, _, _, _, _}, call(D, [P], prctl, [pr_set_seccomp, seccomp_mode_filter, Allow, 0, 0])),
         ?is(P, call(D, [P], getpid)),
         ?is({exit_status, 0}, die(D, [P]))
     end},
     {seccomp, "errors", fun(D) ->
         ?is({error, einval}, call(D, [], seccomp, [99, 0, []])),
         ?is({error, enotsup}, call(D, [], seccomp, [seccomp_nosuch, 0, []])),
         ?is({error, efault}, call(D, [], seccomp, [seccomp_set_mode_filter, 0, []])),
         ?is(badarg, call(D, [], seccomp, [[seccomp_set_mode_filter], 0, []])),
         ?is(badarg, call(D, [], seccomp, [seccomp_set_mode_filter, 0, <<>>])),
         ?is("0", field(os(D), "Seccomp"))
     end},
     {seccomp_constant, "values", fun(D) -> constants(D, seccomp_constant, [{seccomp_set_mode_strict, 0}, {seccomp_set_mode_filter, 1},
                                                                        {seccomp_filter_flag_tsync, 1}]) end},
     {seccomp_constant, "errors", fun(D) -> no_constants(D, seccomp_constant, [seccomp_mode_filter]) end},
     {select, "descriptors that are ready", fun(D) ->
         Fifo = tmp("p"),
         ok = call(D, [], mkfifo, [Fifo, 8#600]),
         Fd = opened(D, [], Fifo, [o_rdwr, o_nonblock]),
         Now = {alcove_timeval, 0, 0},
         ?is({ok, [], [Fd], []}, call(D, [], select, [[Fd], [Fd], [Fd], Now])),
         {ok, 1} = call(D, [], write, [Fd, "x"]),
         ?is({ok, [Fd], [], []}, call(D, [], select, [[Fd], [], [], []])),
         ?is({ok, [], [], []}, call(D, [], select, [[], [], [], {alcove_timeval, 0, 1000}])),
         Null = opened(D, [], "/dev/null", []),
         ?is({ok, [Fd, Null], [], []}, call(D, [], select, [[Null, Fd], [], [], Now]))
     end},
     {select, "errors", fun(D) ->
         Now = {alcove_timeval, 0, 0},
         [?is({X, {error, ebadf}}, {X, call(D, [], select, [X, [], [], Now])})
          || X <- [[999], [200], [1024], [1 bsl 20], [a], a, [-1], <<>>, lists:duplicate(1024, 300)]],
         ?is({error, ebadf}, call(D, [], select, [[], [], [200], Now])),
         [?is({X, badarg}, {X, call(D, [], select, [[], [], [], X])}) || X <- [0, {timeval, 0, 0}, {alcove_timeval, 0}, {alcove_timeval, a, 0}, "a"]],
         ?like(R when R =:= badarg orelse R =:= {error, einval}, call(D, [], select, [[], [], [], {alcove_timeval, -1, 0}]))
     end},
     {setcpid, "options of a child", fun(D) ->
         P = forked(D),
         true = call(D, [], setcpid, [P, flowcontrol, 3]),
         true = call(D, [], setcpid, [P, signaloneof, 9]),
         ?like([{alcove_pid, P, 3, 9, _, _, _, _}], call(D, [], cpid)),
         true = call(D, [], setcpid, [P, flowcontrol, -7]),
         true = call(D, [], setcpid, [P, signaloneof, 1000]),
         ?like([{alcove_pid, P, -1, 255, _, _, _, _}], call(D, [], cpid))
     end},
     {setcpid, "errors", fun(D) ->
         P = forked(D),
         ?is(true, call(D, [], setcpid, [99999, flowcontrol, 3])),
         ?is(false, call(D, [], setcpid, [P, nosuch, 3])),
         ?is(badarg, call(D, [], setcpid, [P, nosuch, -3])),
         ?is(badarg, call(D, [], setcpid, [P, signaloneof, -1])),
         ?is(badarg, call(D, [], setcpid, [-1, flowcontrol, 1])),
         ?is(badarg, call(D, [], setcpid, [P, "flowcontrol", 1])),
         ?like([{alcove_pid, P, -1, 15, _, _, _, _}], call(D, [], cpid))
     end},
     {setenv, "a variable of what is executed", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setenv, ["CP_A", "1", 1]),
         ok = call(D, [P], setenv, ["CP_A", "2", 0]),
         ?is(<<"1">>, call(D, [P], getenv, ["CP_A"])),
         ok = call(D, [P], setenv, ["CP_A", "3", 1]),
         ok = call(D, [P], execvp, ["/bin/sleep", ["sleep", "60"]]),
         true = lists:member(<<"CP_A=3">>, vars(P)),
         ?is(false, call(D, [], getenv, ["CP_A"]))
     end},
     {setenv, "errors", fun(D) ->
         ?is({error, einval}, call(D, [], setenv, ["A=B", "1", 1])),
         ?is(badarg, call(D, [], setenv, ["", "1", 1])),
         ?is(badarg, call(D, [], setenv, ["A", "1", true])),
         ?is(badarg, call(D, [], setenv, ["A", a, 1]))
     end},
     {setgid, "all ids of the group", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setgid, [12345]),
         ?is([12345, 12345, 12345, 12345], ids(P, "Gid"))
     end},
     {setgid, "errors", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setuid, [12345]),
         ?is({error, eperm}, call(D, [P], setgid, [23456])),
         ?is({error, einval}, call(D, [P], setgid, [4294967295])),
         ?is(badarg, call(D, [P], setgid, [-1]))
     end},
     {setgroups, "groups, also as a string", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setgroups, [[70000, 12345]]),
         ?is([12345, 70000], lists:sort(ids(P, "Groups"))),
         ok = call(D, [P], setgroups, [[1, 200, 255]]),
         ?is([1, 200, 255], lists:sort(ids(P, "Groups"))),
         ok = call(D, [P], setgroups, [[]]),
         ?is([], ids(P, "Groups"))
     end},
     {setgroups, "errors", fun(D) ->
         P = forked(D),
         [?is({X, badarg}, {X, call(D, [P], setgroups, [X])}) || X <- [a, 1, [-1], [a], <<1>>, [1000 | 2000], [1 bsl 32]]],
         ok = call(D, [P], setuid, [12345]),
         ?is({error, eperm}, call(D, [P], setgroups, [[1]]))
     end},
     {sethostname, "that of a namespace", fun(D) ->
         P = cloned(D, [clone_newuts]),
         Was = os:cmd("uname -n"),
         ok = call(D, [P], sethostname, ["cp-host"]),
         ?is({ok, <<"cp-host">>}, call(D, [P], gethostname)),
         ?is("cp-host", string:trim(os:cmd(lists:concat(["nsenter -t ", P, " -u uname -n"])))),
         ?is(Was, os:cmd("uname -n"))
     end},
     {sethostname, "errors", fun(D) ->
         P = cloned(D, [clone_newuts]),
         ?is(badarg, call(D, [P], sethostname, [lists:duplicate(64, $a)])),
         ?is(badarg, call(D, [P], sethostname, [""])),
         ok = call(D, [P], setuid, [12345]),
         ?is({error, eperm}, call(D, [P], sethostname, ["x"]))
     end},
     {setns, "the namespace of another", fun(D) ->
         P = cloned(D, [clone_newuts]),
         Q = forked(D),
         true = ns(P, "uts") =/= ns(Q, "uts"),
         Fd = opened(D, [Q], proc(P, "ns/uts"), []),
         ok = call(D, [Q], setns, [Fd, clone_newuts]),
         ?is(ns(P, "uts"), ns(Q, "uts")),
         ?is({error, einval}, call(D, [Q], setns, [Fd, clone_newipc]))
     end},
     {setns, "errors", fun(D) ->
         P = forked(D),
         Fd = opened(D, [P], "/dev/null", []),
         ?is({error, einval}, call(D, [P], setns, [Fd, clone_newuts])),
         ?is({error, ebadf}, call(D, [P], setns, [9999, clone_newuts])),
         ?is({error, enotsup}, call(D, [P], setns, [Fd, clone_vm])),
         ?is(badarg, call(D, [P], setns, [Fd, [clone_newuts]]))
     end},
     {setopt, "each option", fun(D) ->
         [begin
              ?is({O, true}, {O, call(D, [], setopt, [O, V])}),
              ?is({O, W}, {O, call(D, [], getopt, [O])})
          end || {O, V, W} <- [{exit_status, 0, 0}, {exit_status, 5, 1}, {termsig, 0, 0}, {stdin_closed, 1, 1}, {stdout_closed, 1, 1},
                               {stderr_closed, 1, 1}, {flowcontrol, 4, 4}, {flowcontrol, -9, -1}, {flowcontrol, 0, 0}, {maxchild, 3, 3},
                               {maxchild, 0, 0}, {maxforkdepth, 300, 255}, {maxforkdepth, 0, 0}, {signaloneof, 300, 255}, {signaloneof, 0, 0}]]
     end},
     {setopt, "errors", fun(D) ->
         ?is(false, call(D, [], setopt, [nosuch, 1])),
         ?is(badarg, call(D, [], setopt, [nosuch, -1])),
         ?is(badarg, call(D, [], setopt, [maxchild, -1])),
         ?is(badarg, call(D, [], setopt, [maxchild, a])),
         ?is(badarg, call(D, [], setopt, ["maxchild", 1])),
         ?is(false, call(D, [], setopt, [maxchild, 60000])),
         ?is(64, call(D, [], getopt, [maxchild]))
     end},
     {setpgid, "a group of its own", fun(D) ->
         P = forked(D),
         ?is(stat(os(D), pgrp), stat(P, pgrp)),
         ok = call(D, [], setpgid, [P, P]),
         ?is(P, stat(P, pgrp))
     end},
     {setpgid, "errors", fun(D) ->
         ?is({error, esrch}, call(D, [], setpgid, [99999999, 0])),
         ?is({error, einval}, call(D, [], setpgid, [0, -1])),
         ?is(badarg, call(D, [], setpgid, [a, 0]))
     end},
     {setpriority, "the nice value", fun(D) ->
         P = forked(D),
         ok = call(D, [], setpriority, [prio_process, P, 11]),
         ?is(11, stat(P, nice)),
         {ok, P} = call(D, [P], setsid),
         ok = call(D, [P], setpriority, [prio_pgrp, 0, 12]),
         ?is(12, stat(P, nice))
     end},
     {setpriority, "errors", fun(D) ->
         ?is({error, esrch}, call(D, [], setpriority, [prio_process, 99999999, 0])),
         ?is({error, enotsup}, call(D, [], setpriority, [prio_nosuch, 0, 0])),
         ?is(badarg, call(D, [], setpriority, [prio_process, 0, a]))
     end},
     {setproctitle, "the command line", fun(D) ->
         P = forked(D),
         {ok, Was} = cmdline(P),
         ok = call(D, [P], setproctitle, ["a %s title"]),
         {ok, <<"a %s title", Rest/binary>>} = cmdline(P),
         ?is(<<>>, iolist_to_binary(string:trim(Rest, both, [0]))),
         {ok, Parent} = cmdline(os(D)),
         ?is(Was, Parent),
         ok = call(D, [P], setproctitle, ["b"]),
         {ok, <<"b", 0, _/binary>>} = cmdline(P),
         ok = call(D, [P], setproctitle, [""]),
         {ok, Now} = cmdline(P),
         ?is(hd(binary:split(Was, <<0>>)), hd(binary:split(Now, <<0>>))),
         true = lists:member(list_to_binary("PATH=" ++ os:getenv("PATH")), call(D, [P], environ))
     end},
     {setproctitle, "errors", fun(D) ->
         ?is(badarg, call(D, [], setproctitle, [a])),
         ?is(badarg, call(D, [], setproctitle, [])),
         ok = call(D, [], setproctitle, [binary:copy(<<"x">>, 60000)]),
         {ok, B} = cmdline(os(D)),
         ?like(N when N =< 255, byte_size(iolist_to_binary(string:trim(B, both, [0])))),
         ?is(os(D), call(D, [], getpid))
     end},
     {setresgid, "three ids", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setresgid, [12345, 23456, 34567]),
         ?is([12345, 23456, 34567, 23456], ids(P, "Gid")),
         ok = call(D, [P], setresgid, [4294967295, 5, 4294967295]),
         ?is([12345, 5, 34567, 5], ids(P, "Gid"))
     end},
     {setresgid, "errors", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setuid, [12345]),
         ?is({error, eperm}, call(D, [P], setresgid, [1, 2, 3])),
         ?is(badarg, call(D, [P], setresgid, [-1, 0, 0]))
     end},
     {setresuid, "three ids", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setresuid, [12345, 0, 34567]),
         ?is([12345, 0, 34567, 0], ids(P, "Uid")),
         ok = call(D, [P], setresuid, [4294967295, 12345, 4294967295]),
         ?is([12345, 12345, 34567, 12345], ids(P, "Uid"))
     end},
     {setresuid, "errors", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setresuid, [12345, 12345, 12345]),
         ?is({error, eperm}, call(D, [P], setresuid, [0, 0, 0])),
         ?is(badarg, call(D, [P], setresuid, [0, 0, -1])),
         ?is([12345, 12345, 12345, 12345], ids(P, "Uid"))
     end},
     {setrlimit, "as the kernel sees it", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setrlimit, [rlimit_core, {alcove_rlimit, 4096, 8192}]),
         ?is(["4096", "8192"], limit(P, "Max core file size")),
         ok = call(D, [P], setrlimit, [rlimit_nofile, {alcove_rlimit, 60, 100}]),
         ?is(["60", "100"], limit(P, "Max open files")),
         ?is(9, call(D, [P], getopt, [maxchild]))
     end},
     {setrlimit, "errors", fun(D) ->
         ?is({error, einval}, call(D, [], setrlimit, [rlimit_core, {alcove_rlimit, 2, 1}])),
         ?is({error, einval}, call(D, [], setrlimit, [rlimit_nofile, {alcove_rlimit, 5, 5}])),
         ?is({error, enotsup}, call(D, [], setrlimit, [rlimit_nosuch, {alcove_rlimit, 1, 1}])),
         [?is({X, badarg}, {X, call(D, [], setrlimit, [rlimit_core, X])})
          || X <- [{rlimit, 1, 1}, {alcove_rlimit, 1}, 1, [], {alcove_rlimit, -1, 1}, {alcove_rlimit, 1, a}, {alcove_rlimit, 1, 1 bsl 64}]]
     end},
     {setsid, "a session of its own", fun(D) ->
         P = forked(D),
         ?is({ok, P}, call(D, [P], setsid)),
         ?is({P, P}, {stat(P, session), stat(P, pgrp)})
     end},
     {setsid, "errors", fun(D) ->
         P = forked(D),
         {ok, P} = call(D, [P], setsid),
         ?is({error, eperm}, call(D, [P], setsid)),
         ?is(badarg, call(D, [P], setsid, [0]))
     end},
     {setuid, "all ids of the user", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setuid, [12345]),
         ?is([12345, 12345, 12345, 12345], ids(P, "Uid"))
     end},
     {setuid, "errors", fun(D) ->
         P = forked(D),
         ok = call(D, [P], setuid, [12345]),
         ?is({error, eperm}, call(D, [P], setuid, [0])),
         ?is({error, einval}, call(D, [P], setuid, [4294967295])),
         ?is(badarg, call(D, [P], setuid, [root]))
     end},
     {sigaction, "dispositions", fun(D) ->
         P = forked(D),
         ?is(1, bit(P, "SigCgt", 10)),
         ?is({ok, sig_info}, call(D, [P], sigaction, [sigusr1, sig_ign])),
         ?is({1, 0}, {bit(P, "SigIgn", 10), bit(P, "SigCgt", 10)}),
         ?is({ok, sig_ign}, call(D, [P], sigaction, [sigusr1, []])),
         ?is({ok, sig_ign}, call(D, [P], sigaction, [10, sig_dfl])),
         ?is({0, 0}, {bit(P, "SigIgn", 10), bit(P, "SigCgt", 10)}),
         ?is({ok, sig_dfl}, call(D, [P], sigaction, [sigusr1, <<>>])),
         ok = call(D, [], kill, [P, sigusr1]),
         ?is({termsig, sigusr1}, died(D, [P]))
     end},
     {sigaction, "errors", fun(D) ->
         ?is({error, enotsup}, call(D, [], sigaction, [signosuch, sig_ign])),
         [?is({X, badarg}, {X, call(D, [], sigaction, [sigusr1, X])}) || X <- ['SIG_IGN', sig_nosuch, 1, "sig_ign", {}, <<"x">>]],
         ?is(badarg, call(D, [], sigaction, [[sigusr1], sig_ign])),
         [?like({ok, sig_dfl}, case call(D, [], sigaction, [X, sig_ign]) of {error, einval} -> {ok, sig_dfl}; R -> R end)
          || X <- [sigkill, 0, 65, 999]],
         ?is(1, bit(os(D), "SigCgt", 10))
     end},
     {signal_constant, "values", fun(D) -> constants(D, signal_constant, [{sighup, 1}, {sigkill, 9}, {sigterm, 15}, {sigsys, 31}, {sigpoll, 29}, {sigiot, 6}]) end},
     {signal_constant, "errors", fun(D) -> no_constants(D, signal_constant, [signosuch, sigrtmin, siglost]) end},
     {socket, "a descriptor", fun(D) ->
         {ok, Fd} = call(D, [], socket, [af_unix, sock_dgram, 0]),
         ?is("socket:", lists:sublist(proplists:get_value(Fd, fds(os(D))), 7)),
         {ok, Fd1} = call(D, [], socket, [pf_inet, 1 bor 8#2000000, 0]),
         true = fdinfo(os(D), Fd1, "flags") band 8#2000000 =/= 0
     end},
     {socket, "errors", fun(D) ->
         ?is({error, eafnosupport}, call(D, [], socket, [999, 1, 0])),
         ?is({error, enotsup}, call(D, [], socket, [af_nosuch, sock_stream, 0])),
         ?is({error, enotsup}, call(D, [], socket, [af_unix, sock_nosuch, 0])),
         ?is(badarg, call(D, [], socket, [af_unix, [sock_stream], 0])),
         ?is(badarg, call(D, [], socket, [af_unix, sock_stream, a]))
     end},
     {symlink, "a link", fun(D) ->
         T = tmp("l"),
         ok = call(D, [], symlink, ["where/ever", T]),
         ?is("where/ever", link(T))
     end},
     {symlink, "errors", fun(D) ->
         ?is({error, eexist}, call(D, [], symlink, ["a", "/"])),
         ?is(badarg, call(D, [], symlink, ["", tmp("l")]))
     end},
     {syscall_constant, "values", fun(D) ->
         {ok, _} = file:read_file_info("/proc/self"),
         ?is(16#c000003e, call(D, [], syscall_constant, [audit_arch_x86_64])),
         R = call(D, [], syscall_constant, [sys_read]),
         true = is_integer(R),
         string:find(erlang:system_info(system_architecture), "x86_64") =:= nomatch orelse
             constants(D, syscall_constant, [{sys_read, 0}, {sys_getpid, 39}, {sys_exit_group, 231}])
     end},
     {syscall_constant, "errors", fun(D) -> no_constants(D, syscall_constant, [sys_nosuch, sys_ugetrlimit]) end},
     {umount, "a mount is gone", fun(D) ->
         P = cloned(D, [clone_newns]),
         T = folder("m"),
         ok = call(D, [P], mount, ["t", T, "tmpfs", [], "", ""]),
         true = mounted(P, T),
         ok = call(D, [P], umount, [T]),
         false = mounted(P, T)
     end},
     {umount, "errors", fun(D) ->
         P = cloned(D, [clone_newns]),
         ?is({error, einval}, call(D, [P], umount, [folder("m")])),
         ?is({error, enoent}, call(D, [P], umount, ["/nonexistent"])),
         ?is(badarg, call(D, [P], umount, [[]]))
     end},
     {umount2, "one that is in use", fun(D) ->
         P = cloned(D, [clone_newns]),
         T = folder("m"),
         ok = call(D, [P], mount, ["t", T, "tmpfs", [], "", ""]),
         _ = opened(D, [P], T, []),
         ?is({error, ebusy}, call(D, [P], umount2, [T, []])),
         ok = call(D, [P], umount2, [T, [mnt_detach]]),
         false = mounted(P, T)
     end},
     {umount2, "errors", fun(D) ->
         P = cloned(D, [clone_newns]),
         T = folder("m"),
         ?is({error, einval}, call(D, [P], umount2, [T, 2])),
         ?is({error, enotsup}, call(D, [P], umount2, [T, [mnt_nosuch]])),
         ?is(badarg, call(D, [P], umount2, [T, mnt_detach])),
         ?is(badarg, call(D, [P], umount2, [T, -1]))
     end},
     {unlink, "a file is gone", fun(D) ->
         F = written("f", "x"),
         ok = call(D, [], unlink, [F]),
         ?is({error, enoent}, file:read_link_info(F))
     end},
     {unlink, "errors", fun(D) ->
         ?is({error, enoent}, call(D, [], unlink, ["/nonexistent"])),
         ?like({error, _}, call(D, [], unlink, ["/"])),
         ?is(badarg, call(D, [], unlink, [""]))
     end},
     {unsetenv, "a variable is gone", fun(D) ->
         P = forked(D),
         true = is_binary(call(D, [P], getenv, ["PATH"])),
         ok = call(D, [P], unsetenv, ["PATH"]),
         ?is(false, call(D, [P], getenv, ["PATH"])),
         ok = call(D, [P], execvp, ["/bin/sleep", ["sleep", "60"]]),
         ?is([], [V || <<"PATH=", _/binary>> = V <- vars(P)])
     end},
     {unsetenv, "errors", fun(D) ->
         ?is({error, einval}, call(D, [], unsetenv, ["A=B"])),
         ?is(badarg, call(D, [], unsetenv, [""])),
         ?is(ok, call(D, [], unsetenv, ["CP_NOSUCH"]))
     end},
     {unshare, "namespaces of its own", fun(D) ->
         P = forked(D),
         ok = call(D, [P], unshare, [[clone_newuts, clone_newipc]]),
         true = ns(P, "uts") =/= ns(os(D), "uts"),
         true = ns(P, "ipc") =/= ns(os(D), "ipc"),
         ?is(P, call(D, [P], getpid))
     end},
     {unshare, "errors", fun(D) ->
         P = forked(D),
         ?is({error, einval}, call(D, [P], unshare, [16#8000])),
         ?is({error, enotsup}, call(D, [P], unshare, [[clone_vm]])),
         ?is(badarg, call(D, [P], unshare, [clone_newuts])),
         ok = call(D, [P], setuid, [12345]),
         ?is({error, eperm}, call(D, [P], unshare, [[clone_newuts]]))
     end},
     {version, "a binary", fun(D) -> ?is(<<"1.0.1">>, call(D, [], version)) end},
     {version, "one argument too many", fun(D) -> ?is(badarg, call(D, [], version, [1])) end},
     {waitpid, "statuses", fun(D) ->
         {ok, sig_dfl} = call(D, [], sigaction, [sigchld, sig_info]),
         P = forked(D),
         ?is({ok, 0, 0, []}, call(D, [], waitpid, [P, [wnohang]])),
         ok = call(D, [], kill, [P, sigstop]),
         ?is({ok, P, 4991, [{stopsig, sigstop}]}, call(D, [], waitpid, [P, [wuntraced]])),
         ok = call(D, [], kill, [P, sigcont]),
         ?is({ok, P, 65535, [continued]}, call(D, [], waitpid, [P, [wcontinued]])),
         ok = call(D, [P], exit, [7]),
         ?is({ok, P, 7 * 256, [{exit_status, 7}]}, waited(D, P)),
         {error, enoent} = file:read_link_info(proc(P, "")),
         Q = forked(D),
         ok = call(D, [], kill, [Q, 9]),
         ?is({ok, Q, 9, [{termsig, sigkill}]}, waited(D, Q)),
         ?is([], call(D, [], cpid))
     end},
     {waitpid, "errors", fun(D) ->
         ?is({error, echild}, call(D, [], waitpid, [-1, []])),
         ?is({error, echild}, call(D, [], waitpid, [99999999, [wnohang]])),
         ?is({error, einval}, call(D, [], waitpid, [-1, 16#4000])),
         ?is({error, enotsup}, call(D, [], waitpid, [-1, [wnosuch]])),
         ?is(badarg, call(D, [], waitpid, [-1, wnohang]))
     end},
     {write, "bytes in a file", fun(D) ->
         F = tmp("f"),
         {ok, Fd} = call(D, [], open, [F, [o_wronly, o_creat], 8#600]),
         ?is({ok, 7}, call(D, [], write, [Fd, ["abc", <<"de">>, $f, [[10]]]])),
         ?is({ok, 0}, call(D, [], write, [Fd, ""])),
         ?is({ok, <<"abcdef\n">>}, file:read_file(F))
     end},
     {write, "errors", fun(D) ->
         ?is({error, ebadf}, call(D, [], write, [9999, "x"])),
         ?is({error, ebadf}, call(D, [], write, [opened(D, [], "/dev/null", []), "x"])),
         ?is(badarg, call(D, [], write, [1, a]))
     end}].

%% A blocking wait may be interrupted by the announcement of what it waits for.
waited(D, P) ->
    case call(D, [], waitpid, [P, []]) of
        {error, eintr} -> waited(D, P);
        R -> R
    end.

constants(D, Call, Pairs) ->
    [?is({N, V}, {N, call(D, [], Call, [N])}) || {N, V} <- Pairs],
    {Name, Value} = hd(Pairs),
    ?is(Value, call(D, [], Call, [list_to_atom(string:uppercase(atom_to_list(Name)))])).

no_constants(D, Call, Names) ->
    [?is({N, unknown}, {N, call(D, [], Call, [N])}) || N <- Names ++ ['', nosuch]],
    [?is({X, badarg}, {X, call(D, [], Call, [X])}) || X <- ["abc", <<"abc">>, 1, [], {}]].
