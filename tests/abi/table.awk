# SPDX-License-Identifier: MIT
#
# From our ABI headers, which are written one declaration a line, makes the table of everything in them
# that can be compared: N(number) T(text) S(type) F(struct, field) O(struct, flexible array).
# So nothing that is added to a header can be forgotten here.

function push(path) { kids[level] = kids[level] " " path }

# The names that a declaration ends with: "type a, b[3];" gives "a b", and "c[]" for a flexible array.
function names(text) {
	gsub(/\[[^]]+\]/, "", text)
	sub(/;.*/, "", text)
	gsub(/,/, " ", text)
	return text
}

{ gsub(/\/\*.*\*\//, "") }
/\/\*/ { comment = 1; sub(/\/\*.*/, "") }
comment && /\*\// { comment = 0; next }
comment || /^[ \t]*$/ { next }

# A macro's continuation lines.
macro { macro = /\\$/; next }
/^#define/ {
	macro = /\\$/
	if (NF > 2 && $2 !~ /\(/)
		print (/"/ ? "T(" : "N(") $2 ")"
	next
}
/^#/ { next }

/^typedef/ && !/{/ {
	print "S(" names($NF) ")"
	next
}
/^typedef/ { skip = 1 }
skip { skip = !/^}/; next }

/^enum/ { enum = 1; next }
enum && /^}/ { enum = 0; next }
enum { print "N(" $1 ")"; next }

/^(struct|union) .*{/ { level = 1; kids[1] = ""; top = $1 " " $2; next }
level && /{/ { kids[++level] = ""; next }
level && /}/ {
	text = $0
	sub(/.*}/, "", text)
	n = split(names(text), name, " ")
	m = split(kids[level--], kid, " ")
	if (level == 0) {
		print "S(" top ")"
		for (i = 1; i <= m; i++)
			if (sub(/\[\]$/, "", kid[i]))
				print "O(" top ", " kid[i] ")"
			else
				print "F(" top ", " kid[i] ")"
		next
	}
	for (j = 1; j <= m && n == 0; j++)
		push(kid[j])
	for (i = 1; i <= n; i++) {
		push(name[i])
		for (j = 1; j <= m; j++)
			push(name[i] "." kid[j])
	}
	next
}
level {
	start = ($1 == "struct" || $1 == "union" || $1 == "unsigned" && $2 ~ /^(int|long|char)$/) ? 3 : 2
	text = ""
	for (i = start; i <= NF; i++)
		text = text " " $i
	n = split(names(text), name, " ")
	for (i = 1; i <= n; i++)
		if (name[i] !~ /^_/)
			push(name[i])
}
