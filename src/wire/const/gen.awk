# SPDX-License-Identifier: ISC
# Turns lists of constant names (one file a family, one NAME a line) into guarded rows
# { "name", NAME }, one table a family: only what this platform's headers define exists.
# A line NAME VALUE is an own name for what the headers call VALUE.
function flush() {
	if (family != "")
		print "\t{ NULL, 0 }\n};"
}
FNR == 1 {
	flush()
	family = FILENAME
	sub(/.*\//, "", family)
	sub(/\.in$/, "", family)
	print "static const struct constant " family "_table[] = {"
}
/^[A-Za-z_]/ {
	print "#ifdef " $NF "\n\t{ \"" tolower($1) "\", (int64_t)" $NF " },\n#endif"
}
END { flush() }
