%% SPDX-License-Identifier: ISC
%% A small driver of the port. It decodes what comes from the port and sends it to the process that started it:
%% {reply|event|ctl|pipe|stdout|stderr, Port, Pipeline, Term} and {ended, Port, ExitStatus}.
%% In raw mode {raw, Port, Bytes}. Requests go to the port straight from the caller.
-module(cp_drv).
-export([start/0, start/1, call/3, call/4, call/5, cast/4, tell/2, next/3, next/4, none/3, gather/4, died/2, die/2,
         stop/1, os/1, flush/1, in/3, program/0]).
-record(d, {port, os, proc}).
-define(WAIT, 5000).

program() ->
    case os:getenv("CARREL_PORT") of
        false -> error("CARREL_PORT is not set");
        P -> P
    end.

start() -> start(#{}).

%% args: more arguments; wrap: words before the program; env: as of open_port; raw: no decoding;
%% reader: watch the fifo, as the library's driver does; fifo: its path.
start(Opts) ->
    Owner = self(),
    Fifo = maps:get(fifo, Opts, cp_os:tmp("fifo")),
    {Proc, Ref} = spawn_monitor(fun() -> init(Owner, Fifo, Opts) end),
    receive
        {started, Proc, D} ->
            demonitor(Ref, [flush]),
            case whereis(cp_keeper) of
                undefined -> ok;
                K -> K ! {opened, D#d.os, Proc}
            end,
            D;
        {'DOWN', Ref, process, Proc, Why} -> error({start, Why})
    after ?WAIT -> error({start, timeout})
    end.

init(Owner, Fifo, Opts) ->
    Words = maps:get(wrap, Opts, []) ++ [program(), "-c", Fifo] ++ maps:get(args, Opts, []),
    [Prog | Args] = Words,
    Port = open_port({spawn_executable, Prog},
                     [{args, Args}, stream, binary, exit_status, {env, maps:get(env, Opts, [])}]),
    {os_pid, Os} = erlang:port_info(Port, os_pid),
    D = #d{port = Port, os = Os, proc = self()},
    monitor(process, Owner),
    S = #{port => Port, owner => Owner, buf => <<>>, cat => none, raw => maps:get(raw, Opts, false)},
    case S of
        #{raw := true} ->
            Owner ! {started, self(), D},
            loop(S);
        _ ->
            %% Whatever chunk arrives while starting must be one whole frame.
            {reply, [], ok} = cp_wire:frame(chunk(Port)),
            Cat = reader(Opts, Fifo),
            true = port_command(Port, cp_wire:call(unlink, [Fifo])),
            {reply, [], ok} = cp_wire:frame(chunk(Port)),
            {error, enoent} = file:read_link_info(Fifo),
            Owner ! {started, self(), D},
            loop(S#{cat := Cat})
    end.

%% The fifo is unlinked once it is open for reading.
reader(#{reader := true}, Fifo) ->
    Cat = open_port({spawn_executable, "/bin/cat"}, [{args, [Fifo]}, binary, exit_status]),
    {os_pid, Os} = erlang:port_info(Cat, os_pid),
    true = cp_os:until(fun() -> lists:member(Fifo, [L || {_, L} <- cp_os:fds(Os)]) end),
    Cat;
reader(_, _) -> none.

chunk(Port) ->
    receive
        {Port, {data, B}} -> B;
        {Port, {exit_status, N}} -> exit({exit_status, N})
    after ?WAIT -> exit(no_first_frame)
    end.

loop(#{port := Port, owner := Owner, buf := Buf, cat := Cat, raw := Raw} = S) ->
    receive
        {Port, {data, B}} when Raw =:= true ->
            Owner ! {raw, Port, B},
            loop(S);
        {Port, {data, B}} when Raw =:= bytes ->
            Owner ! {stdout, Port, [], B},
            loop(S);
        {Port, {data, B}} ->
            {L, Rest} = cp_wire:frames(if Buf =:= <<>> -> B; true -> <<Buf/binary, B/binary>> end),
            [Owner ! {Tag, Port, Pipe, Term} || {Tag, Pipe, Term} <- L],
            loop(S#{buf := Rest});
        {Port, {exit_status, N}} ->
            Owner ! {ended, Port, N},
            loop(S);
        {Cat, {exit_status, _}} ->
            Owner ! {ctl, Port, [], fdctl_closed},
            loop(S#{raw := bytes, cat := none});
        {Cat, {data, _}} -> loop(S);
        {stop, From} ->
            shut(Port),
            From ! {stopped, self()};
        {'DOWN', _, process, Owner, _} -> shut(Port)
    end.

shut(Port) ->
    unlink(Port),
    catch port_close(Port).

%% The reply, or {ctl, Atom}, {event, Term} or {pipe, N} in its place, as the library's driver raises them.
call(D, Pipe, Name) -> call(D, Pipe, Name, [], ?WAIT).
call(D, Pipe, Name, Args) -> call(D, Pipe, Name, Args, ?WAIT).
call(D, Pipe, Name, Args, Timeout) ->
    cast(D, Pipe, Name, Args),
    wait(D, Pipe, lists:member(Name, [execve, execvp, exit, fexecve]), Timeout).

cast(D, Pipe, Name, Args) -> tell(D, cp_wire:request(Pipe, Name, Args)).

tell(#d{port = Port}, Bytes) -> port_command(Port, Bytes).

%% Data for the standard input of the process at the end of Pipe.
in(D, Pipe, Data) -> tell(D, cp_wire:wrap(Pipe, iolist_to_binary(Data))).

wait(#d{port = Port} = D, Pipe, Leaves, Timeout) ->
    receive
        {reply, Port, Pipe, Reply} -> Reply;
        {ctl, Port, Pipe, fdctl_closed} when Leaves -> ok;
        {ctl, Port, Pipe, fdctl_closed} -> wait(D, Pipe, Leaves, Timeout);
        {ctl, Port, Pipe, Other} -> {ctl, Other};
        {event, Port, Pipe, {exit_status, _} = E} -> {event, E};
        {event, Port, Pipe, {termsig, _} = E} -> {event, E};
        {pipe, Port, Pipe, N} -> {pipe, N};
        {ended, Port, N} -> {ended, N}
    after Timeout -> timeout
    end.

%% The next message of this kind, or timeout.
next(D, Tag, Pipe) -> next(D, Tag, Pipe, ?WAIT).
next(#d{port = Port}, Tag, Pipe, Timeout) ->
    receive
        {Tag, Port, Pipe, Term} -> Term
    after Timeout -> timeout
    end.

%% None of this kind has come; what was under way has been waited for by a call to the root.
none(#d{port = Port} = D, Tag, Pipe) ->
    _ = call(D, [], getpid),
    receive
        {Tag, Port, Pipe, Term} -> error({unwanted, Tag, Pipe, Term})
    after 0 -> none
    end.

%% The bytes of a stream, until there are N, or its source has been silent for too long.
gather(D, Tag, Pipe, N) -> gather(D, Tag, Pipe, N, []).
gather(D, Tag, Pipe, N, Acc) ->
    case iolist_size(Acc) of
        Size when Size >= N -> iolist_to_binary(lists:reverse(Acc));
        _ ->
            case next(D, Tag, Pipe) of
                timeout -> iolist_to_binary(lists:reverse(Acc));
                B -> gather(D, Tag, Pipe, N, [B | Acc])
            end
    end.

%% What ended the child: its event.
died(D, Pipe) -> next(D, event, Pipe).

%% Ends a control process by call, and answers its event.
die(D, Pipe) ->
    ok = call(D, Pipe, exit, [0]),
    died(D, Pipe).

stop(#d{proc = Proc}) ->
    Proc ! {stop, self()},
    receive {stopped, Proc} -> ok after ?WAIT -> timeout end.

os(#d{os = Os}) -> Os.

%% Everything that has come, in order.
flush(#d{port = Port} = D) ->
    receive
        {Tag, Port, Pipe, Term} -> [{Tag, Pipe, Term} | flush(D)];
        {ended, Port, N} -> [{ended, N} | flush(D)];
        {raw, Port, B} -> [{raw, B} | flush(D)]
    after 0 -> []
    end.
