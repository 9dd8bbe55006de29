%% SPDX-License-Identifier: ISC
%% How arguments are decoded. The encoder is the VM, or, for what it never writes, bytes by hand.
-module(cp_decode).
-export([cases/0, base/0]).
-include("cp.hrl").

cases() ->
    [{"decode: binaries up to the largest frame", fun(D) ->
         [begin
              B = binary:copy(<<"x">>, N),
              ?is(B, call(D, [], iolist_to_bin, [B]))
          end || N <- [0, 1, 255, 256, 65000, 65521]],
         {ok, P} = call(D, [], fork),
         Q = binary:copy(<<"y">>, 65513),
         ?is(Q, call(D, [P], iolist_to_bin, [Q]))
     end},
     {"decode: a reply that is too large is badarg", fun(D) ->
         [begin
              tell(D, cp_wire:call(iolist_to_bin, [binary:copy(<<"x">>, N)])),
              ?is({N, badarg}, {N, next(D, reply, [])})
          end || N <- [65522, 65523]],
         ?is(os(D), call(D, [], getpid))
     end},
     {"decode: lists within lists, 16 deep and no more", fun(D) ->
         ?is(<<"x">>, call(D, [], iolist_to_bin, [nest(16, <<"x">>)])),
         ?is(badarg, call(D, [], iolist_to_bin, [nest(17, <<"x">>)])),
         ?is(<<"x">>, call(D, [], iolist_to_bin, [nest(16, "x")])),
         ?is(badarg, call(D, [], iolist_to_bin, [nest(17, "x")])),
         ?is(<<"xy">>, call(D, [], iolist_to_bin, [nest(15, [<<"x">>, $y])])),
         ?is(badarg, call(D, [], iolist_to_bin, [nest(16, [<<"x">>, $y])])),
         ?is(<<"abc">>, call(D, [], iolist_to_bin, [[nest(14, <<"a">>), "b", nest(15, <<"c">>)]])),
         ?is(badarg, call(D, [], iolist_to_bin, [nest(3000, <<"x">>)]))
     end},
     {"decode: improper lists", fun(D) ->
         [?is({X, badarg}, {X, call(D, [], iolist_to_bin, [X])})
          || X <- [[<<"a">> | <<"b">>], ["a" | b], [[<<"a">> | <<>>], <<"b">>], [$a | <<"b">>]]],
         ?is(badarg, call(D, [], open, ["/", [o_rdonly | 0], 0])),
         ?is(badarg, call(D, [], execvp, ["/bin/true", ["true" | <<"x">>]])),
         ?is(badarg, call(D, [], alloc, [[<<1>> | <<2>>]]))
     end},
     {"decode: a path as string, binary or list, to its limit", fun(D) ->
         [begin
              ok = call(D, [], chdir, ["/tmp"]),
              ?is({I, W}, {I, call(D, [], chdir, [P])}),
              ?is({I, {ok, case W of ok -> <<"/">>; _ -> <<"/tmp">> end}}, {I, call(D, [], getcwd)})
          end || {I, P, W} <- [{a, slashes(4095), ok}, {b, slashes(4096), badarg},
                               {c, binary_to_list(slashes(4094)), ok}, {d, binary_to_list(slashes(4095)), badarg},
                               {e, [slashes(4094), $/], ok}, {f, [slashes(4095), []], badarg},
                               {g, [slashes(4095), $/], badarg}, {h, [$/, slashes(4094)], ok}, {i, [<<>>, <<"/">>], ok},
                               {j, <<"/", 0, "nonexistent">>, ok}, {k, [47, 0, 110], ok}]]
     end},
     {"decode: a host name of 63 bytes as binary, 62 as string", fun(D) ->
         {ok, P} = call(D, [], clone, [[clone_newuts]]),
         B = binary:copy(<<"h">>, 63),
         ok = call(D, [P], sethostname, [B]),
         ?is({ok, B}, call(D, [P], gethostname)),
         ?is(badarg, call(D, [P], sethostname, [binary_to_list(B)])),
         ok = call(D, [P], sethostname, [lists:duplicate(62, $i)]),
         ?is(badarg, call(D, [P], sethostname, [[B, []]])),
         ok = call(D, [P], sethostname, [[binary:copy(<<"j">>, 62), $j]]),
         ?is({ok, binary:copy(<<"j">>, 63)}, call(D, [P], gethostname))
     end},
     {"decode: integers of 32 bits", fun(D) ->
         [?is({I, {error, ebadf}}, {I, call(D, [], close, [I])}) || I <- [-1, 9999, 1 bsl 27, (1 bsl 31) - 1, -(1 bsl 31), -300]],
         [?is({I, badarg}, {I, call(D, [], close, [I])})
          || I <- [1 bsl 31, -(1 bsl 31) - 1, 1 bsl 32, 1 bsl 63, 1 bsl 64, -(1 bsl 64), 1 bsl 3000, 1.0]],
         [?is({I, {error, enoent}}, {I, call(D, [], chmod, ["/nonexistent", I])}) || I <- [0, 255, 256, 1 bsl 31, (1 bsl 32) - 1]],
         [?is({I, badarg}, {I, call(D, [], chmod, ["/nonexistent", I])}) || I <- [-1, 1 bsl 32, -(1 bsl 31), 1 bsl 2100]]
     end},
     {"decode: integers of 64 bits", fun(D) ->
         {ok, Fd} = call(D, [], open, ["/dev/null", [], 0]),
         [?is({I, ok}, {I, call(D, [], lseek, [Fd, I, 0])}) || I <- [0, 1 bsl 31, 1 bsl 40, (1 bsl 63) - 1]],
         [?is({I, badarg}, {I, call(D, [], lseek, [Fd, I, 0])}) || I <- [1 bsl 63, -(1 bsl 63) - 1, 1 bsl 64, 1 bsl 3000]],
         [?is({I, {ok, <<>>}}, {I, call(D, [], read, [Fd, I])}) || I <- [0, 1 bsl 31, (1 bsl 64) - 1]],
         [?is({I, badarg}, {I, call(D, [], read, [Fd, I])}) || I <- [-1, 1 bsl 64, 1 bsl 3000]],
         [?is({I, {error, enotty}}, {I, call(D, [], ioctl, [Fd, I, 0])}) || I <- [(1 bsl 63) - 1, -(1 bsl 63), 1 bsl 32]],
         [?is({I, badarg}, {I, call(D, [], ioctl, [Fd, I, 0])}) || I <- [1 bsl 63, -(1 bsl 63) - 1]]
     end},
     {"decode: integers in the form of large ones", fun(D) ->
         Big = <<110, 2, 0, 15, 39>>,
         ?is({error, ebadf}, raw(D, close, tuple([Big]))),
         ?is({error, ebadf}, raw(D, close, tuple([<<110, 2, 1, 15, 39>>]))),
         ?is({error, ebadf}, raw(D, close, tuple([<<110, 4, 0, 15, 39, 0, 0>>]))),
         ?is(badarg, raw(D, close, tuple([<<110, 4, 0, 0, 0, 0, 128>>]))),
         ?is(badarg, raw(D, close, tuple([<<110, 255:8, 0, (binary:copy(<<1>>, 255))/binary>>]))),
         ?is(badarg, raw(D, close, tuple([<<110, 9, 0, 1>>]))),
         %% A constant is an atom or a small integer.
         ?is(badarg, raw(D, kill, tuple([<<98, (os(D)):32>>, <<110, 1, 0, 0>>]))),
         ?is(badarg, call(D, [], kill, [os(D), 1 bsl 31])),
         ?is(badarg, call(D, [], open, ["/", 1 bsl 31, 0])),
         ?is(badarg, call(D, [], open, ["/", [1 bsl 31], 0])),
         ?is(badarg, call(D, [], fcntl, [0, f_getfd, 1 bsl 31]))
     end},
     {"decode: constants, alone and in lists", fun(D) ->
         F = tmp("f"),
         ok = file:write_file(F, "x"),
         Mode = fun(Flags) ->
             case call(D, [], open, [F, Flags, 8#600]) of
                 {ok, Fd} ->
                     [L] = [string:trim(V) || L <- cp_os:lines(lists:concat(["/proc/", os(D), "/fdinfo/", Fd])),
                                              ["flags", V] <- [string:split(L, ":")]],
                     ok = call(D, [], close, [Fd]),
                     list_to_integer(L, 8) band 8#2007003;
                 E -> E
             end
         end,
         ?is([0, 1, 2, 8#2002, 8#2000001, 8#2001, 1],
             [Mode(X) || X <- [[], 1, [2], [o_rdwr, 8#2000], [o_cloexec, o_wronly], [o_append, 1], ['O_WRONLY']]]),
         %% As strings: each byte counts, also behind a zero and above 127.
         ?is([0, 0, 2, 1, 2], [Mode(X) || X <- [[0], [0, 0], [2, 0], [0, 1], [2, 2]]]),
         ?is({error, eexist}, Mode([64, 128])),
         ?is([badarg, badarg, badarg, badarg, {error, enotsup}, {error, enotsup}, {error, enotsup}],
             [Mode(X) || X <- [o_rdwr, [[o_rdwr]], <<>>, [<<1>>, o_rdwr], [o_rdwr, o_nosuch], [o_nosuch, {}], [nosuch | 0]]])
     end},
     {"decode: the four forms of atoms", fun(D) ->
         [begin
              ?is({T, 15}, {T, raw(D, signal_constant, tuple([<<T, 7:S, "sigterm">>]))}),
              ?is({T, 15}, {T, raw(D, signal_constant, tuple([<<T, 7:S, "SigTerm">>]))}),
              ?is({T, unknown}, {T, raw(D, signal_constant, tuple([<<T, 6:S, "sigter">>]))}),
              ?is({T, unknown}, {T, raw(D, signal_constant, tuple([<<T, 8:S, "sigterm", 0>>]))}),
              ?is({T, unknown}, {T, raw(D, signal_constant, tuple([<<T, 255:S, (binary:copy(<<"a">>, 255))/binary>>]))}),
              ?is({T, badarg}, {T, raw(D, signal_constant, tuple([<<T, 9:S, "sigterm">>]))}),
              S =:= 8 orelse ?is({T, badarg}, {T, raw(D, signal_constant, tuple([<<T, 256:S, (binary:copy(<<"a">>, 256))/binary>>]))})
          end || {T, S} <- [{100, 16}, {115, 8}, {118, 16}, {119, 8}]],
         ?is(unknown, call(D, [], signal_constant, [list_to_atom([16#e9])])),
         ?is(badarg, call(D, [], signal_constant, [list_to_atom([16#20ac])])),
         ?is(badarg, raw(D, signal_constant, tuple([<<119, 2, 16#ff, 16#fe>>]))),
         [?is(15, begin tell(D, cp_wire:call(signal_constant, [sigterm], [{minor_version, V}])), next(D, reply, []) end) || V <- [1, 2]]
     end},
     {"decode: vectors of arguments", fun(D) ->
         [begin
              {ok, P} = call(D, [], fork),
              ok = call(D, [P], execve, ["/bin/sh", ["sh", "-c", "printf '%s|' \"$#\" \"$@\""] ++ A, []]),
              ?is({A, Want}, {A, gather(D, stdout, [P], byte_size(Want))}),
              {exit_status, 0} = died(D, [P])
          end || {A, Want} <- [{["zero", "a", <<"b">>, ["c", [$d]]], <<"3|a|b|cd|">>}, {["zero", "", <<>>, []], <<"3||||">>},
                               {[<<"zero">>, <<"a", 0, "b">>, "c"], <<"2|a|c|">>}]],
         [?is({X, badarg}, {X, call(D, [], execve, ["/bin/true", X, []])})
          || X <- ["abc", [1, 2], <<"true">>, true, 1, [true], ["a", 1], ["a", {}], [nest(17, <<"x">>)]]],
         [?is({X, badarg}, {X, call(D, [], execve, ["/bin/true", ["true"], X])})
          || X <- ["abc", [1, 2], <<"true">>, true, 1, [true], ["a", 1], ["a", {}]]]
     end},
     {"decode: what stands around the tuple", fun(D) ->
         Pid = os(D),
         ?is(Pid, raw(D, getpid, <<131, 104, 0, "more">>)),
         ?is(Pid, raw(D, getpid, <<131, 105, 0:32>>)),
         ?is({error, ebadf}, raw(D, close, <<131, 105, 1:32, 98, 9999:32>>)),
         [?is({X, badarg}, {X, raw(D, getpid, X)})
          || X <- [<<130, 104, 0>>, <<131>>, <<131, 106>>, <<131, 97, 1>>, <<131, 104>>, <<131, 104, 1>>, <<131, 104, 1, 97, 1>>, <<0>>,
                   <<131, 105, 0:24>>, <<131, 105, -1:32>>, <<104, 0>>, <<131, 100, 0, 0>>, <<131, 80, 0:32>>, <<131, 108, 0:32, 106>>]],
         [?is({N, badarg}, {N, raw(D, N, <<131, 104, 0>>)}) || N <- [100, 255, 256, 65535]]
     end},
     {"decode: terms that end too early", fun(D) ->
         Whole = term_to_binary({[<<"/nonexistent">>, "abc", [$d, <<"e">>]], [o_rdwr, 64], 4294967295}),
         ?is({error, enoent}, raw(D, open, term_to_binary({[<<"/nonexistent/">>, "abc", [$d, <<"e">>]], [o_rdwr, 64], 4294967295}))),
         [?is({N, badarg}, {N, raw(D, open, binary:part(Whole, 0, N))}) || N <- lists:seq(1, byte_size(Whole) - 1)],
         ?is(os(D), call(D, [], getpid))
     end},
     {"decode: lengths that lie", fun(D) ->
         [?is({X, badarg}, {X, raw(D, iolist_to_bin, tuple([X]))})
          || X <- [<<109, 5:32, "abcd">>, <<109, -1:32, "abcd">>, <<109, 16#7fffffff:32>>, <<107, 5:16, "abcd">>, <<107, 65535:16, "a">>,
                   <<108, 5:32, 97, 1, 106>>, <<108, -1:32, 97, 1, 106>>, <<108, 16#7fffffff:32, 106>>, <<108, 1:32, 97, 1>>,
                   <<108, 1:32, 107, 2:16, "a", 106>>, <<107, 0:8>>, <<109>>, <<108>>, <<110>>]],
         ?is(os(D), call(D, [], getpid))
     end},
     {"decode: earlier arguments answer first", fun(D) ->
         ?is({error, enotsup}, call(D, [], mount, ["", "/", "", [ms_nosuch], a, b])),
         ?is(badarg, call(D, [], mount, [a, "/", "", [ms_nosuch], "", ""])),
         ?is({error, enotsup}, call(D, [], getpriority, [prio_nosuch, {}])),
         ?is(badarg, call(D, [], getpriority, [{}, prio_nosuch])),
         ?is(badarg, call(D, [], open, [a, [o_nosuch], 0])),
         ?is({error, enotsup}, call(D, [], open, ["/", [o_nosuch], a])),
         ?is(badarg, call(D, [], kill, [a, signosuch])),
         ?is(badarg, call(D, [], signal_constant, [a, b]))
     end},
     {"decode: structures", fun(D) ->
         Ok = fun(X) -> {ok, _, L} = call(D, [], alloc, [X]), L end,
         ?is([<<1>>, {ptr, <<0>>}, {ptr, <<0:2400>>}], Ok([<<1>>, {ptr, 1}, {ptr, 300}])),
         ?is([<<>>], Ok([<<>>])),
         ?is([<<0:64>>, <<0:64>>], Ok([{ptr, 0}, {ptr, <<>>}])),
         ?is(1023, length(Ok(lists:duplicate(1023, <<0>>)))),
         ?is(badarg, call(D, [], alloc, [lists:duplicate(1024, <<0>>)])),
         Ptr = <<100, 3:16, "ptr">>,
         ?is([{ptr, <<0>>}], element(3, raw(D, alloc, tuple([<<108, 1:32, 104, 2, Ptr/binary, 97, 1, 106>>])))),
         [?is({X, badarg}, {X, raw(D, alloc, tuple([X]))})
          || X <- [<<108, 1:32, 105, 2:32, Ptr/binary, 97, 1, 106>>, <<108, 1:32, 104, 2, Ptr/binary, 110, 1, 0, 1, 106>>,
                   <<108, 1:32, 104, 3, Ptr/binary, 97, 1, 97, 1, 106>>, <<108, 1:32, 104, 2, 100, 3:16, "PTR", 97, 1, 106>>,
                   <<108, 1:32, 104, 2, Ptr/binary>>, <<108, 1:32, 109, 4:32, "abc">>, <<107, 2:16, 1, 2>>]],
         [?is({X, badarg}, {X, call(D, [], alloc, [X])})
          || X <- [[{ptr, 65536}], [{ptr, 40000}, {ptr, 30000}], [{ptr, 1 bsl 31}], [{ptr, -1}], [{ptr, 16#7fffffff}]]]
     end},
     {"decode: descriptor sets and group lists by their form", fun(D) ->
         Now = {alcove_timeval, 0, 0},
         ?is({ok, [], [], []}, call(D, [], select, [[], [], [], Now])),
         [?is({X, {error, ebadf}}, {X, call(D, [], select, [X, [], [], Now])}) || X <- [[250], [250, 1000], [0, 250], [0 | 1]]],
         {ok, Fd} = call(D, [], open, ["/dev/null", [o_rdwr], 0]),
         ?is({ok, [Fd], [Fd], []}, call(D, [], select, [[Fd], [Fd, Fd], [], Now])),
         true = call(D, [], setopt, [maxchild, 16]),
         %% A descriptor above 127, in a list of bytes.
         Fds = [begin {ok, F} = call(D, [], open, ["/dev/null", [o_rdwr], 0]), F end || _ <- lists:seq(1, 200)],
         true = lists:member(199, Fds),
         ?is({ok, [Fd, 199], [], []}, call(D, [], select, [[199, Fd], [], [], Now]))
     end},
     {"decode: another term in the place of each argument", #{limit => 60000}, fun(D) ->
         Odd = odd(),
         [begin
              case {Name, raw(D, Name, tuple(subst(I, T, Args)))} of
                  {_, badarg} -> ok;
                  {select, {error, ebadf}} -> ok;
                  {_, Other} -> absent(Name) andalso Other =:= undef orelse error({Name, I, T, Other})
              end
          end || {Name, Args} <- base(), I <- lists:seq(1, length(Args)), T <- Odd],
         ?is(os(D), call(D, [], getpid)),
         ?is([], call(D, [], cpid))
     end},
     {"decode: one argument too few and one too many, each call", fun(D) ->
         [begin
              Args = [term_to_binary(A) || A <- A0],
              ?is({Name, badarg}, {Name, raw(D, Name, tuple([strip(A) || A <- Args ++ [term_to_binary(0)]]))}),
              Args =:= [] orelse ?is({Name, badarg}, {Name, raw(D, Name, tuple([strip(A) || A <- tl(Args)]))})
          end || {Name, A0} <- base()],
         ?is(os(D), call(D, [], getpid))
     end}].

%% Arguments that are right for each call.
base() ->
    Given = [{alloc, [[<<1>>]]}, {cap_constant, [cap_read]}, {cap_fcntls_get, [0]}, {cap_fcntls_limit, [0, []]}, {cap_ioctls_limit, [0, []]},
             {cap_rights_limit, [0, []]}, {chdir, ["/"]}, {chmod, ["/nonexistent", 0]}, {chown, ["/nonexistent", 0, 0]}, {chroot, ["/nonexistent"]},
             {clone, [[]]}, {clone_constant, [a]}, {close, [9999]}, {connect, [9999, [<<1>>]]}, {errno_id, [1]}, {execve, ["/nonexistent", ["a"], [<<>>]]},
             {execvp, ["/nonexistent", ["a"]]}, {exit, [0]}, {fcntl, [9999, 0, 0]}, {fcntl_constant, [a]}, {fexecve, [9999, ["a"], [<<>>]]},
             {file_constant, [a]}, {filter, [<<>>, <<>>]}, {getenv, ["A"]}, {getopt, [a]}, {getpriority, [0, 0]}, {getrlimit, [0]}, {getsid, [0]},
             {ioctl, [9999, 0, 0]}, {ioctl_constant, [a]}, {iolist_to_bin, [[]]}, {jail, [[<<1>>]]}, {jail_attach, [0]}, {jail_remove, [0]},
             {kill, [99999999, 0]}, {link, ["/nonexistent", "/nonexistent"]}, {lseek, [9999, 0, 0]}, {mkdir, ["/", 0]}, {mkfifo, ["/", 0]},
             {mount, ["", "/nonexistent", "", [], "", ""]}, {mount_constant, [a]}, {open, ["/nonexistent", [], 0]},
             {pivot_root, ["/nonexistent", "/nonexistent"]}, {pledge, [[], []]}, {prctl, [99999, 0, 0, 0, 0]}, {prctl_constant, [a]},
             {procctl, [p_pid, 0, 0, []]}, {ptrace, [99999, 99999999, 0, 0]}, {ptrace_constant, [a]}, {read, [9999, 0]}, {readdir, ["/nonexistent"]},
             {rlimit_constant, [a]}, {rmdir, ["/nonexistent"]}, {seccomp, [99, 0, []]}, {seccomp_constant, [a]},
             {select, [[], [], [], {alcove_timeval, 0, 0}]}, {setcpid, [0, flowcontrol, 0]}, {setenv, ["A=", "b", 0]}, {setgid, [0]}, {setgroups, [[0]]},
             {sethostname, [lists:duplicate(64, $a)]}, {setns, [9999, 0]}, {setopt, [nosuch, 0]}, {setpgid, [99999999, 0]}, {setpriority, [0, 99999999, 0]},
             {setproctitle, [[]]}, {setresgid, [0, 0, 0]}, {setresuid, [0, 0, 0]}, {setrlimit, [9999, {alcove_rlimit, 0, 0}]}, {setuid, [0]},
             {sigaction, [sigusr1, []]}, {signal_constant, [a]}, {socket, [9999, 0, 0]}, {symlink, ["/", "/"]}, {syscall_constant, [a]},
             {umount, ["/nonexistent"]}, {umount2, ["/nonexistent", []]}, {unlink, ["/nonexistent"]}, {unsetenv, ["A="]}, {unshare, [[]]},
             {unveil, [[], []]}, {waitpid, [-1, [wnohang]]}, {write, [9999, []]}],
    [{N, case lists:keyfind(N, 1, Given) of {_, A} -> A; false -> 0 = Arity, [] end} || {N, _, Arity} <- cp_wire:calls()].

%% Terms that no argument may be.
odd() ->
    [<<70, 1.0:64/float>>, <<99, (list_to_binary(io_lib:format("~-31s", ["1.0e0"])))/binary>>, <<116, 0:32>>, <<77, 1:32, 3, 160>>,
     strip(term_to_binary(self())), strip(term_to_binary(make_ref())), strip(term_to_binary(fun lists:map/2)), strip(term_to_binary(hd(erlang:ports()))),
     <<104, 0>>, <<104, 1, 97, 1>>, <<111, 1:32, 0, 1>>, <<110, 20, 0, -1:160>>, <<110, 9, 1, -1:72>>, <<111, -1:32, 0, 1>>,
     <<108, 1:32, 116, 0:32, 106>>, <<108, 1:32, 97, 1, 97, 1>>, <<0>>, <<255>>, <<82, 0>>, <<131, 97, 0>>, <<109, -1:32>>, <<>>].

absent(Name) ->
    lists:member(Name, [cap_constant, cap_enter, cap_fcntls_get, cap_fcntls_limit, cap_getmode, cap_ioctls_limit, cap_rights_limit,
                        jail, jail_attach, jail_remove, pledge, procctl, unveil]).

%% The terms of Args, with the bytes T in the place of the one at I.
subst(I, T, Args) ->
    L = [strip(term_to_binary(A)) || A <- Args],
    lists:sublist(L, I - 1) ++ [T] ++ lists:nthtail(I, L).

strip(<<131, T/binary>>) -> T.

tuple(Terms) -> <<131, 104, (length(Terms)), (iolist_to_binary(Terms))/binary>>.

raw(D, Name, Bytes) ->
    tell(D, cp_wire:raw_call(cp_wire:number(Name), Bytes)),
    case next(D, reply, []) of
        timeout -> {timeout, flush(D)};
        R -> R
    end.

nest(0, X) -> X;
nest(N, X) -> [nest(N - 1, X)].

slashes(N) -> binary:copy(<<"/">>, N).
