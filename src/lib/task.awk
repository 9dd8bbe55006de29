# SPDX-License-Identifier: ISC
# What the calls of calls.def are in C: for the header of wrappers and its manual page.

# The parameters of argument a of row i, as C declares them.
function c_params(i, a,    c, p) {
	c = letter[i, a]
	p = param[i, a]
	if (index("iIjdkKU", c) > 0)
		return "int " p
	if (c == "u")
		return "uint32_t " p
	if (index("lxW", c) > 0)
		return "int64_t " p
	if (c == "q")
		return "uint64_t " p
	if (index("pnhtso", c) > 0)
		return "const char *" p
	if (index("bBM", c) > 0)
		return "const void *" p ", size_t " p "_size"
	if (c == "v")
		return "const char *const *" p
	if (c == "g")
		return "const uint32_t *" p ", size_t n_" p
	if (c == "F")
		return "const int *" p ", size_t n_" p
	if (c == "L")
		return "const uint64_t *" p ", size_t n_" p
	if (c == "f")
		return "const int (*" p ")[2], size_t n_" p
	if (c == "r")
		return "uint64_t soft, uint64_t hard"
	if (c == "T")
		return "int " p "_ms"
	return ""
}

# What a wrapper returns.
function c_result(i) {
	return result[i] == "INT" ? "int64_t" : "int"
}

# Whether the answer is more than a number: then it goes to the caller as it is.
function c_value(i) {
	return result[i] == "VALUE" || result[i] == "OKVALUE"
}

# Whether row i has a wrapper: not what changes the task itself, for which carrel.h has functions, nor what does
# not come back, nor an argument without a C type.
function c_wrapped(i,    a) {
	if (name[i] == "exit")
		return 1
	if (index(" STATE REAPER STREAM SERVE TASK ", " " door[i] " ") > 0 || result[i] == "NONE")
		return 0
	for (a = 1; a <= argc[i]; a++) {
		if (c_params(i, a) == "")
			return 0
	}
	return 1
}

# Names of functions in carrel.h, when it is given as a file too.
/^[a-z].*[ *]carrel_task_[a-z_0-9]*\(/ {
	text = $0
	sub(/\(.*/, "", text)
	sub(/.*[ *]/, "", text)
	declared[text] = 1
}

# carrel.h's own functions have their names before the calls.
function c_name(i) {
	return ("carrel_task_" name[i]) in declared ? "carrel_task_call_" name[i] : "carrel_task_" name[i]
}

# The parameters of the wrapper of row i, with ", " between them.
function c_signature(i,    a, s) {
	s = "carrel_task *t"
	for (a = 1; a <= argc[i]; a++)
		s = s ", " c_params(i, a)
	if (c_value(i))
		s = s ", carrel_value **ret"
	return s ", carrel_error *e"
}
