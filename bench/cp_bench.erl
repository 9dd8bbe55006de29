%% SPDX-License-Identifier: ISC
%% Measures the port through the VM; a row for each, fields by tabs: what, median, p10..p90, the figure of a straightforward
%% poll loop that was measured through another driver on another day, how much better this is, and the aim.
-module(cp_bench).
-export([main/0]).
-import(cp_drv, [start/1, call/3, call/4, cast/4, next/3, next/4, stop/1]).

main() ->
    try
        [calls(Depth, Low, High) || {Depth, Low, High} <- [{0, 15, 22}, {1, 28, 41}, {4, 82, 116}, {16, 341, 485}]],
        forks("fork + exit + event", 0, 2800, 3300),
        Many = many(),
        forks("fork + exit + event, " ++ integer_to_list(Many) ++ " children", Many - 1, 155, 155),
        execs(),
        busy(Many),
        bytes(0, 1050),
        bytes(4, none)
    catch C:R:S -> io:format(standard_error, "~p~n", [{C, R, S}]), halt(1)
    end,
    halt(0).

short() -> os:getenv("COUNT") =/= false.

count(N) -> case short() of true -> max(1, N div 100); false -> N end.

%% As many children as the limit of descriptors allows, up to the number of the reference.
many() ->
    D = start(#{}),
    {ok, {alcove_rlimit, Cur, _}} = call(D, [], getrlimit, [rlimit_nofile]),
    stop(D),
    case short() of true -> 20; false -> min(3332, (Cur - 6) div 6) end.

%% Rounds of N; each answers microseconds.
rounds(Rounds, Fun) ->
    Fun(),
    lists:sort([begin {T, _} = timer:tc(Fun), T end || _ <- lists:seq(1, case short() of true -> 2; false -> Rounds end)]).

nth(P, L) -> lists:nth(max(1, min(length(L), round(P * length(L) / 100))), L).

calls(Depth, Low, High) ->
    D = start(#{}),
    P = chain(D, Depth),
    N = count(case Depth of 16 -> 100; 4 -> 300; _ -> 1000 end),
    Us = [T / N || T <- rounds(15, fun() -> loop(N, fun() -> true = is_integer(call(D, P, getpid)) end) end)],
    stop(D),
    Mid = nth(50, Us),
    row("getpid, depth " ++ integer_to_list(Depth), f(Mid) ++ " us", f(nth(10, Us)) ++ ".." ++ f(nth(90, Us)),
        io_lib:format("~b..~b us", [Low, High]), f((Low + High) / 2 / Mid), f((Low + High) / 3) ++ " us").

forks(What, Others, Low, High) ->
    D = start(#{}),
    true = call(D, [], setopt, [maxchild, max(4, Others + 1)]),
    crowd(D, Others),
    N = count(200),
    S = [N * 1.0e6 / T || T <- rounds(15, fun() -> loop(N, fun() -> fork(D) end) end)],
    stop(D),
    rate(What, S, Low, High).

fork(D) ->
    {ok, P} = call(D, [], fork),
    cast(D, [P], exit, [0]),
    {exit_status, 0} = next(D, event, [P]),
    fdctl_closed = next(D, ctl, [P]).

execs() ->
    D = start(#{}),
    Nop = os:getenv("NOP"),
    N = count(100),
    S = [N * 1.0e6 / T || T <- rounds(15, fun() -> loop(N, fun() ->
             {ok, P} = call(D, [], fork),
             ok = call(D, [P], execve, [Nop, ["nop"], []]),
             {_, _} = next(D, event, [P])
         end) end)],
    stop(D),
    rate("fork + exec + event", S, none, none).

%% The calls of one child among many.
busy(Many) ->
    D = start(#{}),
    true = call(D, [], setopt, [maxchild, Many]),
    crowd(D, Many - 1),
    {ok, P} = call(D, [], fork),
    N = count(1000),
    Us = [T / N || T <- rounds(15, fun() -> loop(N, fun() -> P = call(D, [P], getpid) end) end)],
    stop(D),
    row("getpid, depth 1, among " ++ integer_to_list(Many), f(nth(50, Us)) ++ " us", f(nth(10, Us)) ++ ".." ++ f(nth(90, Us)), "", "", "").

bytes(Depth, Reference) ->
    D = start(#{}),
    Total = count(1 bsl 30),
    S = lists:sort([Total / T || T <- rounds(3, fun() ->
             Q = chain(D, Depth),
             {ok, E} = call(D, Q, fork),
             P = Q ++ [E],
             ok = call(D, P, execvp, ["/bin/dd", ["dd", "if=/dev/zero", "bs=65536", "iflag=count_bytes", "status=none", "count=" ++ integer_to_list(Total)]]),
             Total = sum(D, P, 0),
             Q =:= [] orelse begin ok = call(D, [hd(Q)], exit, [0]), {exit_status, 0} = next(D, event, [hd(Q)]) end
         end)]),
    stop(D),
    Mid = nth(50, S),
    row("out of a program, depth " ++ integer_to_list(Depth), f(Mid) ++ " MB/s", f(nth(10, S)) ++ ".." ++ f(nth(90, S)),
        case Reference of none -> ""; _ -> f(Reference) ++ " MB/s" end, case Reference of none -> ""; _ -> f(Mid / Reference) end,
        case Reference of none -> ""; _ -> f(1.5 * Reference) ++ " MB/s" end).

sum(D, P, N) ->
    Port = element(2, D),
    receive
        {stdout, Port, P, B} -> sum(D, P, N + byte_size(B));
        {event, Port, P, {exit_status, 0}} -> N
    after 20000 -> error(stalled)
    end.

rate(What, Unsorted, Low, High) ->
    S = lists:sort(Unsorted),
    Mid = nth(50, S),
    {Ref, By, Aim} = case Low of
        none -> {"", "", ""};
        Same when Same =:= High -> {io_lib:format("~b/s", [Low]), f(Mid / Low), "as without them"};
        _ -> {io_lib:format("~b..~b/s", [Low, High]), f(2 * Mid / (Low + High)), f(0.75 * (Low + High)) ++ "/s"}
    end,
    row(What, f(Mid) ++ "/s", f(nth(10, S)) ++ ".." ++ f(nth(90, S)), Ref, By, Aim).

row(A, B, C, D, E, F) -> io:format("~s\t~s\t~s\t~s\t~s\t~s~n", [A, B, C, D, E, F]).

f(X) when X < 10 -> io_lib:format("~.2f", [float(X)]);
f(X) when X < 100 -> io_lib:format("~.1f", [float(X)]);
f(X) -> io_lib:format("~b", [round(X)]).

loop(0, _) -> ok;
loop(N, Fun) -> Fun(), loop(N - 1, Fun).

chain(D, N) -> lists:foldl(fun(_, P) -> {ok, C} = call(D, P, fork), P ++ [C] end, [], lists:seq(1, N)).

crowd(D, N) ->
    [cast(D, [], fork, []) || _ <- lists:seq(1, N)],
    [{ok, _} = next(D, reply, [], 20000) || _ <- lists:seq(1, N)].
