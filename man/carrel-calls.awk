# SPDX-License-Identifier: ISC
# carrel-calls(7): behind src/wire/calls.awk and src/lib/task.awk, from its text in carrel-calls.7.in.

# Words of the stages, from the library.
/\[CARREL_STAGE_[A-Z]+\] = "/ {
	rest = $0
	while (match(rest, /\[CARREL_STAGE_[A-Z]+\] = "[a-z]+"/)) {
		text = substr(rest, RSTART, RLENGTH)
		split(text, word, "\"")
		sub(/\].*/, "", text)
		stage_word[substr(text, 15)] = word[2]
		rest = substr(rest, RSTART + RLENGTH)
	}
}

FILENAME ~ /\.7\.in$/ {
	page[++n_lines] = $0
}

# Text that mdoc(7) does not take for its own; a sentence a line.
function text_out(s,    n, part, k) {
	gsub(/\\/, "\\e", s)
	n = split(s, part, /\. /)
	for (k = 1; k <= n; k++) {
		if (part[k] ~ /^[.']/)
			part[k] = "\\&" part[k]
		print part[k] (k < n ? "." : "")
	}
}

function capital(s) {
	return toupper(substr(s, 1, 1)) substr(s, 2)
}

function systems(i,    w) {
	w = where[i]
	return w == "LINUX" ? "Linux" : w == "FREEBSD" ? "FreeBSD" : w == "OPENBSD" ? "OpenBSD" : \
	       w == "LINUX_FREEBSD" ? "Linux, FreeBSD" : "every system"
}

# As call_for_programs(), call_for_tasks() and call_for_port() have it.
function doors(i,    d, s) {
	d = door[i]
	if (d == "ALL" || d == "PROGRAM" || d == "SERVE" || d == "STREAM")
		s = name[i] == "id_map" || name[i] == "id_map_by" ? "program (outside)" : "program"
	if (d == "REAPER")
		s = "program (outside)"
	if (d != "SERVE" && d != "STREAM")
		s = s (s != "" ? ", " : "") "task"
	if (d != "PROGRAM" && d != "STREAM" && d != "SERVE" && d != "TASK")
		s = s ", port"
	return s
}

# A prototype as .Fn takes it.
function prototype(i,    n, part, k) {
	print ".Ft " c_result(i)
	printf ".Fn %s", c_name(i)
	n = split(c_signature(i), part, ", ")
	for (k = 1; k <= n; k++)
		printf " \"%s\"", part[k]
	print ""
}

function call(i,    a) {
	printf ".It Fn %s", name[i]
	for (a = 1; a <= argc[i]; a++)
		printf " %s", param[i, a]
	print ""
	text_out(capital(summary[i]) ".")
	if (argc[i] > 0) {
		print ".Bl -tag -width propagation -compact"
		for (a = 1; a <= argc[i]; a++) {
			print ".It Fa " param[i, a]
			text_out(expected(i, a))
		}
		print ".El"
	}
	if (name[i] in note) {
		print ".Pp"
		text_out(note[name[i]])
	}
	print ".Pp"
	if (result[i] == "NONE")
		print "Does not return;"
	else
		print "Answers " answers[result[i]] ";"
	print "errors are of the stage"
	print ".Ql " stage_word[stage[i]] " ."
	print "On " systems(i) "; doors: " doors(i) "; number " number[i] "."
	if (c_wrapped(i)) {
		print ".br"
		prototype(i)
	}
}

function calls(    i) {
	print ".Bl -tag -width Ds"
	for (i = 1; i <= n_rows; i++)
		call(i)
	print ".El"
}

function constants(    k) {
	print ".Bl -tag -width personality -compact"
	for (k = 1; k <= n_families; k++) {
		print ".It Cm " family[family_letter[k]]
		text_out(family_summary[family_letter[k]])
	}
	print ".El"
}

END {
	for (n = 1; n <= n_lines; n++) {
		if (page[n] == "@CALLS@")
			calls()
		else if (page[n] == "@CONSTANTS@")
			constants()
		else
			print page[n]
	}
}
