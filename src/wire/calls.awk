# SPDX-License-Identifier: ISC
# Reads calls.def, words.def and notes.def, in any order, for the generators that are given behind it with -f.
#
# Row i of the n_rows: number[i], name[i], letters[i], where[i], door[i], result[i], stage[i], summary[i],
# argc[i], and for argument a from 1: param[i, a], letter[i, a], second[i, a].
# By letter, family, result, name: expects[], family[], family_summary[], answers[], note[].

function second_of(c) {
	return index("kKUWLjxmM", c) > 0
}

# The arguments of row i from its letters and the names of them.
function arguments(i, names,    s, part, c) {
	split(names, part, ", ")
	argc[i] = 0
	for (s = letters[i]; s != ""; s = substr(s, 2)) {
		c = substr(s, 1, 1)
		letter[i, ++argc[i]] = c
		param[i, argc[i]] = part[argc[i]] != "" ? part[argc[i]] : "arg" argc[i]
		if (second_of(c)) {
			s = substr(s, 2)
			second[i, argc[i]] = substr(s, 1, 1)
		}
	}
}

/^CALL\(/ {
	split($0, quoted, "\"")
	split(quoted[1] quoted[3], column, /[(, ]+/)
	i = ++n_rows
	number[i] = column[2]
	name[i] = column[3]
	letters[i] = quoted[2]
	where[i] = column[4]
	door[i] = column[5]
	result[i] = column[6]
	stage[i] = column[7]
	summary[i] = quoted[4]
	arguments(i, quoted[6])
}

/^LETTER\(/ {
	split($0, quoted, "\"")
	expects[substr($0, 9, 1)] = quoted[2]
}

/^FAMILY\(/ {
	split($0, quoted, "\"")
	split($2, word, ",")
	family_letter[++n_families] = substr($0, 9, 1)
	family[substr($0, 9, 1)] = word[1]
	family_summary[substr($0, 9, 1)] = quoted[2]
}

/^ANSWER\(/ {
	split($0, quoted, /[(,"]+ ?"?/)
	answers[quoted[2]] = quoted[3]
}

# A note goes over lines of adjacent strings.
/^NOTE\(/ {
	noted = $1
	gsub(/NOTE\(|,/, "", noted)
}
noted != "" {
	text = $0
	sub(/^[^"]*"/, "", text)
	last = sub(/"\)$/, "", text)
	sub(/"$/, "", text)
	note[noted] = note[noted] text
	if (last)
		noted = ""
}

# What is right for argument a of row i.
function expected(i, a,    c) {
	c = letter[i, a]
	if (index("kW", c) > 0)
		return "a constant of the family " family[second[i, a]]
	if (index("KUL", c) > 0)
		return "a list of constants of the family " family[second[i, a]]
	return expects[c]
}
