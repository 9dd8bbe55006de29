%% SPDX-License-Identifier: ISC
%% Constants by their families, and the names of errors.
-module(cp_constants).
-export([cases/0]).
-include("cp.hrl").

cases() ->
    [{"constants: " ++ atom_to_list(Call), fun(D) ->
         [begin
              ?is({N, V}, {N, call(D, [], Call, [N])}),
              ?is({N, V}, {N, call(D, [], Call, [list_to_atom(string:uppercase(atom_to_list(N)))])})
          end || {N, V} <- Pairs],
         [?is({N, unknown}, {N, call(D, [], Call, [N])}) || N <- Not]
     end} || {Call, Pairs, Not} <- families()] ++
    [{"constants: mixed case", fun(D) ->
         ?is([2, 2, 2, 15], [call(D, [], file_constant, ['O_rdwr']), call(D, [], file_constant, ['o_RDWR']),
                             call(D, [], file_constant, ['O_RdWr']), call(D, [], signal_constant, ['SIGterm'])])
     end},
     {"constants: families without a lookup, by the calls that take them", fun(D) ->
         [begin
              {ok, Fd} = call(D, [], socket, [F, T, 0]),
              ok = call(D, [], close, [Fd])
          end || F <- [af_unix, pf_unix, af_local, pf_local, 'AF_UNIX'], T <- [sock_stream, sock_dgram, sock_seqpacket]],
         [?like({_, X} when X =/= enotsup, call(D, [], socket, [F, sock_raw, 0]))
          || F <- [af_inet, af_inet6, af_netlink, af_packet, pf_inet, pf_inet6, pf_netlink, pf_packet]],
         [?like({error, E} when E =/= enotsup, call(D, [], waitpid, [99999999, [W]])) || W <- [wnohang, wuntraced, wcontinued]],
         ?is({error, enotsup}, call(D, [], waitpid, [-1, [p_pid]]))
     end},
     {"constants: signals by name and back", fun(D) ->
         [begin
              N = call(D, [], signal_constant, [S]),
              {ok, P} = call(D, [], fork),
              {ok, _} = call(D, [P], sigaction, [S, sig_info]),
              ok = call(D, [], kill, [P, S]),
              {signal, Name, Info} = next(D, event, [P]),
              ?is({S, W}, {S, Name}),
              <<N:32/native, _:4/binary, 0:32/native, _/binary>> = Info,
              ?is(128, byte_size(Info)),
              {exit_status, 0} = die(D, [P])
          end || {S, W} <- [{sighup, sighup}, {sigint, sigint}, {sigquit, sigquit}, {sigusr1, sigusr1}, {sigusr2, sigusr2}, {sigpipe, sigpipe},
                            {sigalrm, sigalrm}, {sigterm, sigterm}, {sigstkflt, sigstkflt}, {sigcont, sigcont}, {sigtstp, sigtstp},
                            {sigttin, sigttin}, {sigurg, sigurg}, {sigxcpu, sigxcpu}, {sigvtalrm, sigvtalrm}, {sigprof, sigprof},
                            {sigwinch, sigwinch}, {sigio, sigio}, {sigpoll, sigio}, {sigpwr, sigpwr}, {sigsys, sigsys}, {sigiot, sigabrt},
                            {sigabrt, sigabrt}, {sigtrap, sigtrap}]]
     end},
     {"constants: signals without a name", fun(D) ->
         {ok, P} = call(D, [], fork),
         ok = call(D, [], kill, [P, 40]),
         {signal, unknown, <<40:32/native, _/binary>>} = next(D, event, [P]),
         {ok, _} = call(D, [P], sigaction, [40, sig_dfl]),
         ok = call(D, [], kill, [P, 40]),
         ?is({termsig, unknown}, died(D, [P]))
     end},
     {"errors: every number", fun(D) ->
         [?is({N, proplists:get_value(N, errors(), unknown)}, {N, call(D, [], errno_id, [N])}) || N <- lists:seq(-5, 600)],
         ?is(unknown, call(D, [], errno_id, [-(1 bsl 31)])),
         ?is(unknown, call(D, [], errno_id, [(1 bsl 31) - 1]))
     end}].

families() ->
    [{clone_constant, [{clone_newns, 16#20000}, {clone_newcgroup, 16#2000000}, {clone_newuts, 16#4000000}, {clone_newipc, 16#8000000},
                       {clone_newuser, 16#10000000}, {clone_newpid, 16#20000000}, {clone_newnet, 16#40000000}, {clone_newtime, 16#80}],
      [clone_vm, clone_fs, clone_files, clone_sighand, clone_thread, clone_vfork]},
     {fcntl_constant, [{f_getfd, 1}, {f_setfd, 2}, {f_getfl, 3}, {f_setfl, 4}, {f_setpipe_sz, 1031}, {f_getpipe_sz, 1032}, {fd_cloexec, 1}],
      [f_dupfd, f_getlk]},
     {file_constant, [{o_accmode, 3}, {o_rdonly, 0}, {o_wronly, 1}, {o_rdwr, 2}, {o_creat, 8#100}, {o_excl, 8#200}, {o_noctty, 8#400}, {o_trunc, 8#1000},
                      {o_append, 8#2000}, {o_nonblock, 8#4000}, {o_ndelay, 8#4000}, {o_dsync, 8#10000}, {o_noatime, 8#1000000}, {o_cloexec, 8#2000000},
                      {o_sync, 8#4010000}, {o_path, 8#10000000}],
      [o_nosuch, s_ifdir]},
     {rlimit_constant, [{rlimit_cpu, 0}, {rlimit_fsize, 1}, {rlimit_data, 2}, {rlimit_stack, 3}, {rlimit_core, 4}, {rlimit_rss, 5}, {rlimit_nproc, 6},
                        {rlimit_nofile, 7}, {rlimit_memlock, 8}, {rlimit_as, 9}, {rlimit_locks, 10}, {rlimit_sigpending, 11}, {rlimit_msgqueue, 12},
                        {rlimit_nice, 13}, {rlimit_rtprio, 14}, {rlimit_rttime, 15}, {rlimit_nlimits, 16}],
      [rlimit_ofile]},
     {seccomp_constant, [{seccomp_set_mode_strict, 0}, {seccomp_set_mode_filter, 1}, {seccomp_filter_flag_tsync, 1}], [seccomp_mode_filter, seccomp_ret_kill]},
     {signal_constant, [{sighup, 1}, {sigint, 2}, {sigquit, 3}, {sigill, 4}, {sigtrap, 5}, {sigabrt, 6}, {sigiot, 6}, {sigbus, 7}, {sigfpe, 8}, {sigkill, 9},
                        {sigusr1, 10}, {sigsegv, 11}, {sigusr2, 12}, {sigpipe, 13}, {sigalrm, 14}, {sigterm, 15}, {sigstkflt, 16}, {sigchld, 17}, {sigcont, 18},
                        {sigstop, 19}, {sigtstp, 20}, {sigttin, 21}, {sigttou, 22}, {sigurg, 23}, {sigxcpu, 24}, {sigxfsz, 25}, {sigvtalrm, 26}, {sigprof, 27},
                        {sigwinch, 28}, {sigio, 29}, {sigpoll, 29}, {sigpwr, 30}, {sigsys, 31}],
      [siglost, sigrtmin, sigcld]},
     {mount_constant, [{rdonly, 1}, {nosuid, 2}, {noexec, 8}, {noatime, 1024}, {ms_rdonly, 1}, {ms_nosuid, 2}, {ms_nodev, 4}, {ms_noexec, 8},
                       {ms_synchronous, 16}, {ms_remount, 32}, {ms_mandlock, 64}, {ms_dirsync, 128}, {ms_noatime, 1024}, {ms_nodiratime, 2048}, {ms_bind, 4096},
                       {ms_move, 8192}, {ms_rec, 16384}, {ms_silent, 32768}, {ms_posixacl, 65536}, {ms_unbindable, 1 bsl 17}, {ms_private, 1 bsl 18},
                       {ms_slave, 1 bsl 19}, {ms_shared, 1 bsl 20}, {ms_relatime, 1 bsl 21}, {ms_kernmount, 1 bsl 22}, {ms_i_version, 1 bsl 23},
                       {ms_strictatime, 1 bsl 24}, {ms_active, 1 bsl 30}, {ms_nouser, 18446744071562067968}, {ms_mgc_val, 16#c0ed0000},
                       {ms_mgc_msk, 16#ffff0000}, {mnt_force, 1}, {mnt_detach, 2}, {mnt_expire, 4}, {umount_nofollow, 8}],
      [ms_fss, ms_overlay, mnt_rdonly]},
     {ptrace_constant, [{ptrace_traceme, 0}, {ptrace_peektext, 1}, {ptrace_peekdata, 2}, {ptrace_peekusr, 3}, {ptrace_poketext, 4}, {ptrace_cont, 7}, {ptrace_kill, 8},
                        {ptrace_singlestep, 9}, {ptrace_attach, 16}, {ptrace_detach, 17}, {ptrace_syscall, 24}, {ptrace_setoptions, 16#4200},
                        {ptrace_getsiginfo, 16#4202}, {ptrace_seize, 16#4206}, {ptrace_interrupt, 16#4207}, {ptrace_listen, 16#4208},
                        {ptrace_event_fork, 1}, {ptrace_event_exec, 4}, {ptrace_event_stop, 128}, {ptrace_o_tracesysgood, 1}, {ptrace_o_exitkill, 16#100000}],
      [ptrace_nosuch]},
     {prctl_constant, [{pr_set_pdeathsig, 1}, {pr_get_pdeathsig, 2}, {pr_set_name, 15}, {pr_get_name, 16}, {pr_capbset_read, 23}, {pr_capbset_drop, 24},
                       {pr_set_seccomp, 22}, {pr_set_no_new_privs, 38}, {pr_set_child_subreaper, 36}, {pr_cap_ambient, 47}, {pr_cap_ambient_raise, 2},
                       {pr_set_mm, 35}, {pr_set_mm_exe_file, 13}, {pr_set_ptracer_any, 16#ffffffffffffffff}, {pr_spec_force_disable, 8},
                       {seccomp_mode_disabled, 0}, {seccomp_mode_strict, 1}, {seccomp_mode_filter, 2}, {seccomp_ret_kill, 0}, {seccomp_ret_trap, 16#30000},
                       {seccomp_ret_errno, 16#50000}, {seccomp_ret_allow, 16#7fff0000}, {seccomp_ret_kill_process, 16#80000000}],
      [pr_set, pr_nosuch]},
     {ioctl_constant, [{siocgifname, 16#8910}, {siocgifconf, 16#8912}, {siocgifflags, 16#8913}, {siocsifaddr, 16#8916}, {siocgifhwaddr, 16#8927},
                       {siocgifindex, 16#8933}, {siogifindex, 16#8933}, {siocdevprivate, 16#89f0}, {siocprotoprivate, 16#89e0}, {fionread, 16#541b},
                       {fionbio, 16#5421}, {fionclex, 16#5450}, {fioclex, 16#5451}, {fioasync, 16#5452}, {tcgets, 16#5401}, {tcsetsf, 16#5404}, {tcsbrk, 16#5409},
                       {tiocexcl, 16#540c}, {tiocsctty, 16#540e}, {tiocgpgrp, 16#540f}, {tiocgwinsz, 16#5413}, {tiocinq, 16#541b}, {tiocgptn, 16#80045430},
                       {tiocsptlck, 16#40045431}, {tiocpkt_data, 0}, {tiocser_temt, 1}, {tunsetiff, 16#400454ca}, {tungetfeatures, 16#800454cf}],
      [fionosuch, tiocflush]},
     {syscall_constant, [{audit_arch_x86_64, 16#c000003e}, {audit_arch_i386, 16#40000003}, {audit_arch_aarch64, 16#c00000b7}, {audit_arch_arm, 16#40000028}] ++
      case string:find(erlang:system_info(system_architecture), "x86_64") of
          nomatch -> [];
          _ -> [{sys_read, 0}, {sys_write, 1}, {sys_poll, 7}, {sys_rt_sigreturn, 15}, {sys_restart_syscall, 219}, {sys_getpid, 39}, {sys_exit, 60},
                {sys_exit_group, 231}, {sys_getrlimit, 97}, {sys_setrlimit, 160}, {sys_writev, 20}, {sys_getcwd, 79}]
      end, [sys_nosuch, sys_sigreturn, sys_ugetrlimit, audit_arch_nosuch]}].

errors() ->
    lists:zip(lists:seq(1, 40), [eperm, enoent, esrch, eintr, eio, enxio, e2big, enoexec, ebadf, echild, eagain, enomem, eacces, efault, enotblk, ebusy, eexist,
                                 exdev, enodev, enotdir, eisdir, einval, enfile, emfile, enotty, etxtbsy, efbig, enospc, espipe, erofs, emlink, epipe, edom,
                                 erange, edeadlk, enametoolong, enolck, enosys, enotempty, eloop]) ++
    lists:zip(lists:seq(42, 57), [enomsg, eidrm, echrng, el2nsync, el3hlt, el3rst, elnrng, eunatch, enocsi, el2hlt, ebade, ebadr, exfull, enoano, ebadrqc, ebadslt]) ++
    lists:zip(lists:seq(59, 79), [ebfont, enostr, enodata, etime, enosr, enonet, enopkg, eremote, enolink, eadv, esrmnt, ecomm, eproto, emultihop, edotdot, ebadmsg,
                                  eoverflow, enotuniq, ebadfd, eremchg, elibacc]) ++
    lists:zip(lists:seq(80, 83), [elibbad, elibscn, elibmax, elibexec]) ++
    lists:zip(lists:seq(87, 119), [eusers, enotsock, edestaddrreq, emsgsize, eprototype, enoprotoopt, eprotonosupport, esocktnosupport, enotsup, epfnosupport,
                                   eafnosupport, eaddrinuse, eaddrnotavail, enetdown, enetunreach, enetreset, econnaborted, econnreset, enobufs, eisconn, enotconn,
                                   eshutdown, etoomanyrefs, etimedout, econnrefused, ehostdown, ehostunreach, ealready, einprogress, estale, euclean, enotnam, enavail]) ++
    [{121, eremoteio}, {122, edquot}, {130, eownerdead}, {131, enotrecoverable}].
