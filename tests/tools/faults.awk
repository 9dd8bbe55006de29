# SPDX-License-Identifier: ISC
#
# faults.awk: which errors a system call may have. Reads lines `ROLE BEHAVIOUR CALL COUNT`, writes the
# points of the fault table, role/behaviour/call/n/errno, one a line.
#
# Left out are calls that cannot fail (getpid), whose failure would be the injection's own leak (close,
# munmap: the call is not made at all), which libc does not let fail (brk, set_tid_address), and rt_sig*,
# which fail for wrong arguments only. The host of the library reads and writes pipes, which have no EIO.

BEGIN {
	nth_max = 60
	add("open openat", "EMFILE ENFILE ENOMEM EINTR EACCES EIO")
	add("socketpair", "EMFILE ENFILE ENOMEM ENOBUFS")
	add("pipe pipe2", "EMFILE ENFILE ENOMEM")
	add("eventfd2 epoll_create1 signalfd4 timerfd_create memfd_create", "EMFILE ENFILE ENOMEM")
	add("epoll_ctl", "ENOMEM ENOSPC")
	add("fork vfork clone clone3", "EAGAIN ENOMEM EPERM ENOSPC")
	add("mmap mprotect mremap", "ENOMEM EAGAIN")
	add("read", "EINTR EIO")
	add("write writev", "EINTR EIO ENOSPC")
	add("recvmsg recvfrom", "EINTR ENOMEM")
	add("sendmsg sendto", "EINTR ENOMEM ENOBUFS")
	add("poll ppoll", "EINTR ENOMEM")
	add("epoll_wait epoll_pwait", "EINTR")
	add("dup dup2 dup3", "EMFILE EINTR")
	add("fcntl", "EMFILE ENOMEM EPERM")
	add("ftruncate", "EINTR EIO")
	add("execve execveat", "ENOMEM EMFILE EAGAIN EACCES EIO")
	add("prctl", "EPERM EINVAL ENOMEM")
	add("seccomp", "EPERM ENOMEM")
	add("capget capset", "EPERM")
	add("setsid setpgid", "EPERM")
	add("chdir fchdir", "ENOMEM EACCES EIO")
	add("prlimit64 setrlimit getrlimit", "EPERM")
	add("setuid setgid setresuid setresgid setgroups", "EPERM EAGAIN ENOMEM")
	add("getdents64", "EIO ENOMEM")
	add("mkdir mkdirat", "ENOSPC EPERM ENOMEM EROFS")
	add("rmdir unlink unlinkat", "EIO EBUSY EPERM ENOMEM")
	add("pidfd_open", "EMFILE ENFILE ENOMEM ENOSYS")
	add("kill tgkill pidfd_send_signal", "EPERM")
	add("rt_sigqueueinfo", "EAGAIN EPERM")
	add("wait4 waitid", "EINTR")
	add("getsockopt setsockopt", "EPERM ENOMEM")
	add("stat fstat lstat newfstatat statx", "ENOMEM EIO")
	add("statfs fstatfs", "EIO ENOMEM")
	add("access faccessat faccessat2", "EACCES EIO ENOMEM")
	add("readlink readlinkat", "EACCES ENOMEM")
	add("landlock_create_ruleset landlock_restrict_self landlock_add_rule", "EPERM ENOMEM EMFILE EOPNOTSUPP")
	add("setpriority", "EACCES")
	add("close_range", "EPERM ENOSYS")
	add("ioctl", "ENOMEM EIO")
	add("getrandom", "EINTR")
	add("open_tree fsopen fsmount", "EMFILE ENOMEM EPERM")
	add("openat2", "EMFILE ENOMEM EACCES EXDEV")
	add("fsconfig mount", "ENOMEM EPERM EINVAL")
	add("move_mount mount_setattr", "ENOMEM EPERM EINVAL ENOSPC")
	add("pivot_root umount2", "EBUSY EPERM EINVAL")
	add("mknod mknodat symlink symlinkat", "ENOSPC EDQUOT ENOMEM EROFS")
	add("socket", "EMFILE ENOMEM EAFNOSUPPORT")
	add("sethostname", "EPERM")
	add("keyctl", "EDQUOT ENOMEM ENOSYS")
}

function add(calls, errnos, n, i, name) {
	n = split(calls, name, " ")
	for (i = 1; i <= n; i++)
		errnos_of[name[i]] = errnos
}

$3 in errnos_of {
	errnos = errnos_of[$3]
	if ($1 == "host" && ($3 == "read" || ($3 == "write" && $2 ~ /pipes|feed|pty|capture/)))
		errnos = "EINTR"
	# These two send descriptors.
	if ($1 ~ /host|nursery/ && $3 == "sendmsg")
		errnos = errnos " ETOOMANYREFS"
	n = split(errnos, e, " ")
	for (nth = 1; nth <= $4 && nth <= nth_max; nth++)
		for (i = 1; i <= n; i++)
			print $1 "/" $2 "/" $3 "/" nth "/" e[i]
}
