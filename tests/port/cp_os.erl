%% SPDX-License-Identifier: ISC
%% What the kernel says about processes, past the port.
-module(cp_os).
-compile({no_auto_import, [link/1]}).
-export([fds/1, link/1, field/2, stat/2, alive/1, until/1, until/2, tmp/1, children/1, tree/1, kill/1, kill/2,
         lines/1, number/1]).

p(Pid, Name) -> "/proc/" ++ integer_to_list(Pid) ++ "/" ++ Name.

%% Open descriptors and what they are.
fds(Pid) ->
    case file:list_dir(p(Pid, "fd")) of
        {ok, L} -> lists:sort([{list_to_integer(F), link(p(Pid, "fd/" ++ F))} || F <- L]);
        _ -> []
    end.

link(Path) ->
    case file:read_link_all(Path) of
        {ok, L} -> L;
        {error, E} -> E
    end.

%% A line of /proc/PID/status.
field(Pid, Name) ->
    [V] = [string:trim(V) || L <- lines(p(Pid, "status")), [N, V] <- [string:split(L, ":")], N =:= Name],
    V.

%% Of /proc/PID/stat.
stat(Pid, Name) ->
    {ok, B} = file:read_file(p(Pid, "stat")),
    [_, Rest] = string:split(binary_to_list(B), ") ", trailing),
    F = string:lexemes(Rest, " \n"),
    Nth = fun(N) -> list_to_integer(lists:nth(N - 2, F)) end,
    case Name of
        state -> hd(F);
        ppid -> Nth(4);
        pgrp -> Nth(5);
        session -> Nth(6);
        ticks -> Nth(14) + Nth(15);
        nice -> Nth(19);
        start -> Nth(22)
    end.

lines(Path) ->
    case file:read_file(Path) of
        {ok, B} -> string:split(binary_to_list(B), "\n", all);
        _ -> []
    end.

%% There, and not a zombie.
alive(Pid) ->
    try stat(Pid, state) of
        "Z" -> false;
        _ -> true
    catch error:_ -> false
    end.

until(Fun) -> until(Fun, 5000).
until(Fun, Ms) ->
    case Fun() of
        true -> true;
        _ when Ms =< 0 -> false;
        _ -> timer:sleep(5), until(Fun, Ms - 5)
    end.

%% A path of its own in the folder of the test.
tmp(Name) ->
    Dir = case os:getenv("tmp") of false -> "/tmp"; T -> T end,
    Dir ++ "/" ++ Name ++ "." ++ integer_to_list(erlang:unique_integer([positive])).

children(Pid) ->
    [list_to_integer(W) || L <- lines(p(Pid, "task/" ++ integer_to_list(Pid) ++ "/children")), W <- string:lexemes(L, " ")].

tree(Pid) ->
    lists:flatmap(fun(C) -> [C | tree(C)] end, children(Pid)).

kill(Pids) -> kill("KILL", Pids).
kill(_, []) -> ok;
kill(Signal, Pids) ->
    os:cmd("kill -" ++ Signal ++ lists:flatten([" " ++ integer_to_list(P) || P <- Pids])),
    ok.

number(Text) -> list_to_integer(string:trim(Text)).
