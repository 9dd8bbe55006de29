%% SPDX-License-Identifier: ISC
-define(is(Want, Got), cp_tap:is(Want, Got, ?LINE)).
-define(like(Pattern, Got),
        (fun(Got__) ->
            case Got__ of
                Pattern -> ok;
                _ -> erlang:error({line, ?LINE, got, Got__, wanted, ??Pattern})
            end
         end)(Got)).
-compile({no_auto_import, [link/1]}).
-import(cp_drv, [start/0, start/1, call/3, call/4, call/5, cast/4, tell/2, next/3, next/4, none/3, gather/4,
                 died/2, die/2, stop/1, os/1, flush/1, in/3]).
-import(cp_os, [fds/1, link/1, field/2, stat/2, alive/1, until/1, until/2, tmp/1, children/1, tree/1]).
