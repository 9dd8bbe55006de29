# SPDX-License-Identifier: ISC
# The header of wrappers: behind wire/calls.awk and task.awk.

# The beginning of the header is written by hand.
FILENAME ~ /task_head\.h$/ {
	print
}

# The value of argument a of row i.
function c_argument(i, a,    c, p) {
	c = letter[i, a]
	p = param[i, a]
	if (index("KU", c) > 0)
		return "carrel_task_flags_(&part[" parts++ "], " p ")"
	if (c == "r") {
		parts += 3
		return "carrel_task_limit_(&part[" parts - 3 "], soft, hard)"
	}
	if (c == "T") {
		parts += 3
		return "carrel_task_time_(&part[" parts - 3 "], " p "_ms)"
	}
	if (c == "q" || c == "u")
		return "carrel_task_uint_(" p ")"
	if (index("iIjdklxW", c) > 0)
		return "carrel_task_int_(" p ")"
	if (index("pnhtso", c) > 0)
		return "carrel_task_text_(" p ")"
	if (c == "M")
		return "carrel_task_memory_(&part[" parts++ "], " p ", " p "_size)"
	if (index("bB", c) > 0)
		return "carrel_task_bytes_(" p ", " p "_size)"
	if (c == "v")
		return "carrel_task_texts_(" p ")"
	if (c == "g")
		return "carrel_task_ids_(" p ", n_" p ")"
	if (c == "F")
		return "carrel_task_fds_(" p ", n_" p ")"
	if (c == "L")
		return "carrel_task_words_(" p ", n_" p ")"
	if (c == "f")
		return "carrel_task_dups_(" p ", n_" p ")"
	print "no value for the letter " c >"/dev/stderr"
	exit 1
}

function systems(i) {
	if (where[i] == "LINUX")
		return " (Linux)"
	if (where[i] == "FREEBSD")
		return " (FreeBSD)"
	if (where[i] == "OPENBSD")
		return " (OpenBSD)"
	return where[i] == "LINUX_FREEBSD" ? " (Linux, FreeBSD)" : ""
}

# head and s with ", " in it: what does not fit a line goes on in the next one.
function folded(head, s,    out, line, n, part, k) {
	n = split(s, part, ", ")
	line = head part[1]
	for (k = 2; k <= n; k++) {
		if (length(line) + length(part[k]) > 106) {
			out = out line ",\n"
			line = "\t\t" part[k]
		} else {
			line = line ", " part[k]
		}
	}
	return out line
}

function wrapper(i,    a, body, call, args) {
	parts = 0
	body = ""
	for (a = 1; a <= argc[i]; a++)
		body = body "\targ[" a - 1 "] = " c_argument(i, a) ";\n"
	args = argc[i] > 0 ? "arg" : "NULL"
	if (c_value(i))
		call = "carrel_task_make_(t, \"" name[i] "\", " args ", " argc[i] ", ret, e)"
	else if (result[i] == "OK" || result[i] == "NONE")
		call = "carrel_task_make_(t, \"" name[i] "\", " args ", " argc[i] ", NULL, e)"
	else
		call = "carrel_task_number_(t, \"" name[i] "\", " args ", " argc[i] ", e)"
	if (c_result(i) == "int" && call ~ /number_/)
		call = "(int)" call
	print ""
	print "/* " name[i] ": " summary[i] systems(i) " */"
	print folded("static inline " c_result(i) " " c_name(i) "(", c_signature(i)) ")"
	print "{"
	if (argc[i] > 0)
		print "\tcarrel_value arg[" argc[i] "]" (parts > 0 ? ", part[" parts "]" : "") ";\n"
	printf "%s", body
	print "\treturn " call ";"
	print "}"
}

END {
	for (i = 1; i <= n_rows; i++) {
		if (c_wrapped(i))
			wrapper(i)
	}
	print "\n#ifdef __cplusplus\n}\n#endif\n\n#endif"
}
