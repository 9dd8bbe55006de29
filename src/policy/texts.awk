# SPDX-License-Identifier: ISC
# Turns texts (NAME.policy) into C: "char NAME_policy[]", which the groups share with other files.
function flush() {
	if (name != "")
		print "\t;"
}
FNR == 1 {
	flush()
	name = FILENAME
	sub(/.*\//, "", name)
	sub(/\.policy$/, "", name)
	print name == "groups" ? "const char policy_groups[] =" : "static const char " name "_policy[] ="
}
{
	gsub(/\\/, "&&")
	gsub(/"/, "\\042")
	gsub(/\t/, "\\t")
	print "\t\"" $0 "\\n\""
}
END { flush() }
