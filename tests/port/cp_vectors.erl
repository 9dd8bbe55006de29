%% SPDX-License-Identifier: ISC
%% The bytes of the protocol, as they stand in its specification.
-module(cp_vectors).
-export([cases/0]).
-include("cp.hrl").

-define(RAW, #{raw => true}).

cases() ->
    [{"bytes: the initial message", ?RAW, fun(D) -> hello(D) end},
     {"bytes: the driver's own encoding of two requests", none, fun() ->
         ?is(cp_wire:hex("00 07 00 04 00 24 83 68 00"), cp_wire:request([], getpid, [])),
         ?is(deep(), cp_wire:request([295, 551], getpid, []))
     end},
     {"bytes: getpid", ?RAW, fun(D) ->
         hello(D),
         tell(D, cp_wire:hex("00 07 00 04 00 24 83 68 00")),
         Pid = integer(os(D)),
         expect(D, <<(3 + byte_size(Pid)):16, 4:16, 131, Pid/binary>>)
     end},
     {"bytes: a request through a pipeline whose first pid is not there", ?RAW, fun(D) ->
         hello(D),
         tell(D, deep()),
         expect(D, cp_wire:hex("00 13 00 03 00 00 01 27 00 0b 00 06 83 77 06 62 61 64 70 69 64"))
     end},
     {"bytes: badarg", ?RAW, fun(D) ->
         hello(D),
         tell(D, cp_wire:call(100, [])),
         expect(D, cp_wire:hex("00 0b 00 04 83 77 06 62 61 64 61 72 67"))
     end},
     {"bytes: an error", ?RAW, fun(D) ->
         hello(D),
         tell(D, cp_wire:call(close, [9999])),
         expect(D, cp_wire:hex("00 13 00 04 83 68 02 77 05 65 72 72 6f 72 77 05 65 62 61 64 66"))
     end},
     {"bytes: badpid", ?RAW, fun(D) ->
         hello(D),
         tell(D, cp_wire:stdin(1, <<"x">>)),
         expect(D, cp_wire:hex("00 13 00 03 00 00 00 01 00 0b 00 06 83 77 06 62 61 64 70 69 64"))
     end},
     {"bytes: badpid of the pid -1", ?RAW, fun(D) ->
         hello(D),
         tell(D, cp_wire:stdin(16#ffffffff, <<"x">>)),
         expect(D, cp_wire:hex("00 13 00 03 ff ff ff ff 00 0b 00 06 83 77 06 62 61 64 70 69 64"))
     end},
     {"bytes: version", ?RAW, fun(D) ->
         hello(D),
         tell(D, cp_wire:call(version, [])),
         expect(D, cp_wire:hex("00 0d 00 04 83 6d 00 00 00 05 31 2e 30 2e 31"))
     end},
     {"bytes: fdctl_closed and exit_status", ?RAW, fun(D) ->
         hello(D),
         Pid = child(D),
         tell(D, cp_wire:request([Pid], exit, [0])),
         expect(D, about(Pid, "00 19 00 03 00 00 10 bd 00 11 00 06 83 77 0c 66 64 63 74 6c 5f 63 6c 6f 73 65 64")),
         expect(D, about(Pid, "00 1c 00 03 00 00 10 bd 00 14 00 05 83 68 02 77 0b 65 78 69 74 5f 73 74 61 74 75 73 61 00"))
     end},
     {"bytes: standard output of a child", ?RAW, fun(D) ->
         hello(D),
         Pid = child(D),
         tell(D, cp_wire:request([Pid], execvp, ["/bin/sh", ["sh", "-c", "read a; echo hi"]])),
         expect(D, about(Pid, "00 19 00 03 00 00 10 bd 00 11 00 06 83 77 0c 66 64 63 74 6c 5f 63 6c 6f 73 65 64")),
         tell(D, cp_wire:stdin(Pid, <<"\n">>)),
         expect(D, about(Pid, "00 09 00 01 00 00 10 bd 68 69 0a")),
         expect(D, about(Pid, "00 1c 00 03 00 00 10 bd 00 14 00 05 83 68 02 77 0b 65 78 69 74 5f 73 74 61 74 75 73 61 00"))
     end},
     {"bytes: the pipe of a child is full", ?RAW, fun(D) ->
         hello(D),
         Pid = child(D),
         tell(D, cp_wire:request([Pid], execvp, ["/bin/sleep", ["sleep", "60"]])),
         expect(D, about(Pid, "00 19 00 03 00 00 10 bd 00 11 00 06 83 77 0c 66 64 63 74 6c 5f 63 6c 6f 73 65 64")),
         [tell(D, cp_wire:stdin(Pid, binary:copy(<<"x">>, 16384))) || _ <- [1, 2, 3, 4]],
         tell(D, cp_wire:stdin(Pid, <<"x">>)),
         expect(D, about(Pid, "00 0d 00 03 00 00 10 bd 00 05 00 07 83 61 00"))
     end},
     {"bytes: cpid with one child", ?RAW, fun(D) ->
         hello(D),
         Pid = child(D),
         tell(D, cp_wire:call(cpid, [])),
         <<_:16, 4:16, T/binary>> = Frame = whole(D, <<>>),
         [{alcove_pid, Pid, -1, 15, A, B, C, E}] = binary_to_term(T),
         P = integer(Pid),
         ?is(<<(38 + byte_size(P)):16, (cp_wire:hex("00 04 83 6c 00 00 00 01 68 08 77 0a 61 6c 63 6f 76 65 5f 70 69 64"))/binary,
               P/binary, 98, -1:32, 97, 15, 97, A, 97, B, 97, C, 97, E, 106>>, Frame)
     end},
     {"bytes: no child", ?RAW, fun(D) ->
         hello(D),
         tell(D, cp_wire:call(cpid, [])),
         expect(D, cp_wire:hex("00 04 00 04 83 6a"))
     end},
     {"bytes: integers by their size", ?RAW, fun(D) ->
         hello(D),
         C = fun(Name, Hex) ->
             tell(D, cp_wire:call(mount_constant, [Name])),
             expect(D, cp_wire:hex(Hex))
         end,
         C(ms_rdonly, "00 05 00 04 83 61 01"),
         C(ms_bind, "00 08 00 04 83 62 00 00 10 00"),
         C(ms_active, "00 0a 00 04 83 6e 04 00 00 00 00 40"),
         C(ms_nouser, "00 0e 00 04 83 6e 08 00 00 00 00 80 ff ff ff ff")
     end}].

deep() ->
    cp_wire:hex("00 17 00 00 00 00 01 27 00 0f 00 00 00 00 02 27 00 07 00 04 00 24 83 68 00").

hello(D) -> expect(D, cp_wire:hex("00 07 00 04 83 77 02 6f 6b")).

integer(N) when N < 256 -> <<97, N>>;
integer(N) -> <<98, N:32>>.

about(Pid, Hex) ->
    <<A:4/binary, 16#10bd:32, B/binary>> = cp_wire:hex(Hex),
    <<A/binary, Pid:32, B/binary>>.

child(D) ->
    tell(D, cp_wire:call(fork, [])),
    <<_:16, 4:16, 131, 104, 2, 119, 2, "ok", Rest/binary>> = whole(D, <<>>),
    binary_to_term(<<131, Rest/binary>>).

%% One frame, as it comes.
whole(_, <<Len:16, _:Len/binary>> = F) -> F;
whole(D, Have) ->
    case next_bytes(D) of
        timeout -> error({timeout, Have});
        B -> whole(D, <<Have/binary, B/binary>>)
    end.

next_bytes(D) ->
    Port = element(2, D),
    receive {raw, Port, B} -> B after 5000 -> timeout end.

%% Exactly these, then: whatever follows in the same chunk stays for the next.
expect(D, Want) -> ?is(Want, bytes(D, byte_size(Want))).

bytes(D, N) -> bytes(D, N, case erase(rest) of undefined -> <<>>; B -> B end).
bytes(_, N, Have) when byte_size(Have) >= N ->
    put(rest, binary:part(Have, N, byte_size(Have) - N)),
    binary:part(Have, 0, N);
bytes(D, N, Have) ->
    case next_bytes(D) of
        timeout -> Have;
        B -> bytes(D, N, <<Have/binary, B/binary>>)
    end.
