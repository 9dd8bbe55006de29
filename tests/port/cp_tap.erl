%% SPDX-License-Identifier: ISC
%% Runs the cases of modules, each in a process and with a port of its own, and prints a line for each.
%% A case is {Name, Fun}, {Name, Options, Fun} with the options of cp_drv:start/1, or {Name, none, Fun} without port.
-module(cp_tap).
-export([main/1, is/3, skip/1]).
-define(LIMIT, 20000).

is(Want, Want, _) -> ok;
is(Want, Got, Line) -> error({line, Line, got, Got, wanted, Want}).

skip(Why) -> throw({skip, Why}).

main(Modules) ->
    register(cp_keeper, self()),
    process_flag(trap_exit, true),
    Only = case os:getenv("CASE") of false -> ""; O -> O end,
    Cases = [C || M <- Modules, C <- M:cases(), Only =:= "" orelse string:find(element(1, C), Only) =/= nomatch],
    Failed = lists:foldl(fun one/2, {0, 0}, Cases),
    io:format("1..~b~n", [element(1, Failed)]),
    erlang:halt(min(1, element(2, Failed))).

one({Name, Fun}, N) -> one({Name, #{}, Fun}, N);
one({Name, Opts, Fun}, {N, Failed}) ->
    Begin = erlang:monotonic_time(millisecond),
    {_, Ref} = spawn_monitor(fun() -> exit({done, body(Opts, Fun)}) end),
    Result = receive
        {'DOWN', Ref, process, _, {done, R}} -> R;
        {'DOWN', Ref, process, _, Why} -> {failed, Why}
    after case is_map(Opts) of true -> maps:get(limit, Opts, ?LIMIT); false -> ?LIMIT end -> {failed, timeout}
    end,
    Left = clean([]),
    slow(Name, erlang:monotonic_time(millisecond) - Begin),
    case Result of
        ok when Left =:= [] ->
            io:format("ok ~b - ~ts~n", [N + 1, Name]),
            {N + 1, Failed};
        {skip, Why1} ->
            io:format("ok ~b - ~ts # SKIP ~ts~n", [N + 1, Name, Why1]),
            {N + 1, Failed};
        _ ->
            io:format("not ok ~b - ~ts~n", [N + 1, Name]),
            [io:format("#   ~ts~n", [L]) || L <- string:split(io_lib:format("~0P", [Result, list_to_integer(os:getenv("DEPTH", "60"))]), "\n", all)],
            [io:format("#   still there after end of input: ~p~n", [Left]) || Left =/= []],
            {N + 1, Failed + 1}
    end.

%% Of those asked for by SLOW, the time they take.
slow(Name, Ms) ->
    case os:getenv("SLOW") of
        false -> ok;
        S -> Ms < list_to_integer(S) orelse io:format("# ~b ms: ~ts~n", [Ms, Name])
    end.

body(Opts, Fun) ->
    try
        case Opts of
            none -> Fun();
            _ -> Fun(cp_drv:start(Opts))
        end,
        ok
    catch
        throw:{skip, Why} -> {skip, Why};
        Class:Reason:Stack ->
            {failed, Class, Reason, [{F, L} || {M, F, _, Info} <- Stack, M =/= cp_tap, {line, L} <- Info]}
    end.

%% Every port of the case gets its end of input, and has to leave; what it left behind is killed.
clean(Left) ->
    receive
        {opened, Os, Proc} ->
            Tree = [{P, S} || P <- cp_os:tree(Os), {ok, S} <- [start(P)]],
            Ref = monitor(process, Proc),
            Proc ! {stop, self()},
            receive {'DOWN', Ref, process, Proc, _} -> ok after 1000 -> ok end,
            Gone = cp_os:until(fun() -> not cp_os:alive(Os) end, 3000),
            Rest = [P || {P, S} <- Tree, start(P) =:= {ok, S}],
            Rest =:= [] orelse cp_os:until(fun() -> not lists:any(fun cp_os:alive/1, Rest) end, 100),
            cp_os:kill([P || {P, S} <- Tree, start(P) =:= {ok, S}] ++ [Os || not Gone]),
            clean([Os || not Gone] ++ Left)
    after 0 ->
        receive {stopped, _} -> clean(Left) after 0 -> Left end
    end.

start(P) ->
    try {ok, cp_os:stat(P, start)} catch error:_ -> gone end.
