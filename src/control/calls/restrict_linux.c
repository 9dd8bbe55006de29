/* SPDX-License-Identifier: ISC */
/* What takes rights away, on Linux. */
#include "calls.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned long word(const struct arg *a)
{
	return (unsigned long)(uintptr_t)call_address(a);
}

int64_t call_prctl(const struct arg *a)
{
	return call_result(prctl((int)a[0].i, word(&a[1]), word(&a[2]), word(&a[3]), word(&a[4])));
}

int64_t call_seccomp(const struct arg *a)
{
	return call_result(syscall(SYS_seccomp, (unsigned)a[0].i, (unsigned)a[1].i, call_address(&a[2])));
}

/* Capabilities as the kernel's two words of bits. */
static int bits_of(const struct arg *a, uint32_t ret_bits[2])
{
	ret_bits[0] = ret_bits[1] = 0;
	for (uint32_t i = 0; i < a->n; i++) {
		if (a->words[i] > 63)
			return -EINVAL;
		ret_bits[a->words[i] / 32] |= 1U << a->words[i] % 32;
	}
	return 0;
}

int64_t call_capset(const struct arg *a)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	uint32_t effective[2], permitted[2], inheritable[2];

	if (bits_of(&a[0], effective) < 0 || bits_of(&a[1], permitted) < 0 ||
	    bits_of(&a[2], inheritable) < 0)
		return -EINVAL;
	const struct __user_cap_data_struct data[2] = {
		{ effective[0], permitted[0], inheritable[0] },
		{ effective[1], permitted[1], inheritable[1] },
	};
	return call_result(syscall(SYS_capset, &head, data));
}

int64_t call_drop_bounding(const struct arg *a)
{
	uint32_t kept[2];

	if (bits_of(&a[0], kept) < 0)
		return -EINVAL;
	for (unsigned cap = 0; cap < 64; cap++) {
		if (!(kept[cap / 32] >> cap % 32 & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
			/* Behind the last that this kernel has they cannot be read either. */
			return errno == EINVAL && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == -1 ? 0 : -errno;
	}
	return 0;
}

int64_t call_ambient_clear(const struct arg *a)
{
	(void)a;
	return call_result(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
}

int64_t call_keyctl_join_session(const struct arg *a)
{
	(void)a;
	/* The serial number of the new keyring is of no use to anybody.  Where a kernel has no keyrings, or a filter
	 * around us forbids them, there is nothing to keep from the task. */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) == -1 && errno != ENOSYS && errno != EPERM)
		return -errno;
	return 0;
}
