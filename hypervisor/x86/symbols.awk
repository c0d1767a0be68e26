# SPDX-License-Identifier: MIT
# nm -n of the image -> assembler source of the symbol table: 32-bit offset from image_start, offset of the name.
BEGIN {
	n = at = 0
}
$1 ~ /^ffff82d0/ && $2 ~ /^[tT]$/ && $3 !~ /^\./ {
	address[n] = $1
	sub(/\.lto_priv\..*/, "", $3) # of a static function, by link-time optimisation
	name[n++] = $3
}
END {
	print ".section .symbols, \"a\"\n.balign 8"
	print ".globl symbol_count\nsymbol_count: .long " n
	print ".globl symbol_table\nsymbol_table:"
	for (i = 0; i < n; i++) {
		printf ".long 0x%s - 0xffff82d080000000, %d\n", address[i], at
		at += length(name[i]) + 1
	}
	print ".globl symbol_names\nsymbol_names:"
	for (i = 0; i < n; i++)
		print ".asciz \"" name[i] "\""
}
