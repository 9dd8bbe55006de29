%% SPDX-License-Identifier: ISC
%% The frames and terms of the port protocol, from the Erlang side: LEN:2 TYPE:2 BODY, terms by the VM itself.
-module(cp_wire).
-export([calls/0, number/1, arity/1, call/2, call/3, raw_call/2, stdin/2, wrap/2, request/3, frames/1, frame/1, hex/1]).

calls() ->
    [{alloc,0,1}, {cap_constant,1,1}, {cap_enter,2,0}, {cap_fcntls_get,3,1}, {cap_fcntls_limit,4,2},
     {cap_getmode,5,0}, {cap_ioctls_limit,6,2}, {cap_rights_limit,7,2}, {chdir,8,1}, {chmod,9,2}, {chown,10,3},
     {chroot,11,1}, {clearenv,12,0}, {clone,13,1}, {clone_constant,14,1}, {close,15,1}, {connect,16,2}, {cpid,17,0},
     {environ,18,0}, {errno_id,19,1}, {execve,20,3}, {execvp,21,2}, {exit,22,1}, {fcntl,23,3},
     {fcntl_constant,24,1}, {fexecve,25,3}, {file_constant,26,1}, {filter,27,2}, {fork,28,0}, {getcwd,29,0},
     {getenv,30,1}, {getgid,31,0}, {getgroups,32,0}, {gethostname,33,0}, {getopt,34,1}, {getpgrp,35,0},
     {getpid,36,0}, {getpriority,37,2}, {getresgid,38,0}, {getresuid,39,0}, {getrlimit,40,1}, {getsid,41,1},
     {getuid,42,0}, {ioctl,43,3}, {ioctl_constant,44,1}, {iolist_to_bin,45,1}, {jail,46,1}, {jail_attach,47,1},
     {jail_remove,48,1}, {kill,49,2}, {link,50,2}, {lseek,51,3}, {mkdir,52,2}, {mkfifo,53,2}, {mount,54,6},
     {mount_constant,55,1}, {open,56,3}, {pivot_root,57,2}, {pledge,58,2}, {prctl,59,5}, {prctl_constant,60,1},
     {procctl,61,4}, {ptrace,62,4}, {ptrace_constant,63,1}, {read,64,2}, {readdir,65,1}, {rlimit_constant,66,1},
     {rmdir,67,1}, {seccomp,68,3}, {seccomp_constant,69,1}, {select,70,4}, {setcpid,71,3}, {setenv,72,3},
     {setgid,73,1}, {setgroups,74,1}, {sethostname,75,1}, {setns,76,2}, {setopt,77,2}, {setpgid,78,2},
     {setpriority,79,3}, {setproctitle,80,1}, {setresgid,81,3}, {setresuid,82,3}, {setrlimit,83,2}, {setsid,84,0},
     {setuid,85,1}, {sigaction,86,2}, {signal_constant,87,1}, {socket,88,3}, {symlink,89,2},
     {syscall_constant,90,1}, {umount,91,1}, {umount2,92,2}, {unlink,93,1}, {unsetenv,94,1}, {unshare,95,1},
     {unveil,96,2}, {version,97,0}, {waitpid,98,2}, {write,99,2}].

number(N) when is_integer(N) -> N;
number(getpid) -> 36;
number(Name) ->
    {Name, N, _} = lists:keyfind(Name, 1, calls()),
    N.

arity(Name) ->
    {Name, _, A} = lists:keyfind(Name, 1, calls()),
    A.

%% A call frame; Options of term_to_binary/2.
call(Name, Args) -> call(Name, Args, []).
call(Name, Args, Options) ->
    raw_call(number(Name), term_to_binary(list_to_tuple(Args), Options)).

%% Any bytes in the place of the term.
raw_call(N, Bytes) ->
    <<(4 + byte_size(Bytes)):16, 4:16, N:16, Bytes/binary>>.

stdin(Pid, Data) ->
    <<(6 + byte_size(Data)):16, 0:16, Pid:32, Data/binary>>.

%% Addressed through Pipeline, outermost first.
wrap(Pipeline, Frame) -> lists:foldr(fun stdin/2, Frame, Pipeline).

request(Pipeline, Name, Args) -> wrap(Pipeline, call(Name, Args)).

%% What can be decoded of the stream, and its rest.
frames(<<Len:16, Body:Len/binary, Rest/binary>>) ->
    {L, R} = frames(Rest),
    {[body(Body, []) | L], R};
frames(Rest) -> {[], Rest}.

%% Exactly one frame, or function_clause.
frame(<<Len:16, Body:Len/binary>>) -> body(Body, []).

body(<<1:16, Pid:32, Data/binary>>, P) -> {stdout, lists:reverse([Pid | P]), Data};
body(<<2:16, Pid:32, Data/binary>>, P) -> {stderr, lists:reverse([Pid | P]), Data};
body(<<3:16, Pid:32, Len:16, Body:Len/binary>>, P) -> body(Body, [Pid | P]);
body(<<4:16, T/binary>>, P) -> {reply, lists:reverse(P), term(T)};
body(<<5:16, T/binary>>, P) -> {event, lists:reverse(P), term(T)};
body(<<6:16, T/binary>>, P) -> {ctl, lists:reverse(P), term(T)};
body(<<7:16, T/binary>>, P) -> {pipe, lists:reverse(P), term(T)}.

%% One term and nothing after it.
term(Bin) ->
    {T, Used} = binary_to_term(Bin, [used]),
    Used = byte_size(Bin),
    T.

hex(Text) ->
    << <<(list_to_integer(W, 16))>> || W <- string:lexemes(Text, " \n") >>.
