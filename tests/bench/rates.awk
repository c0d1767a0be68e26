# SPDX-License-Identifier: MIT
# Reads console logs of guest-kernels/load. Without `to` it prints two times in us: of the last line of the guest that is
# furthest behind, and of the one that is ahead. With from and to: per guest, units of work done between those times.
function close_file() {
	if (!file)
		return
	if (!behind || time < behind)
		behind = time
	if (time > ahead)
		ahead = time
	if (to)
		printf "%s %.0f\n", file, at_to - at_from
}
function between(when) {
	return units + (now_units - units) * (when - time) / (now - time)
}
FNR == 1 {
	close_file()
	file = FILENAME
	sub(/.*\//, "", file)
	sub(/\.log$/, "", file)
	time = units = at_from = at_to = 0
}
/^load [0-9]/ {
	now = $2 + 0
	now_units = $3 + 0
	if (to && time < from && from <= now)
		at_from = between(from)
	if (to && time < to && to <= now)
		at_to = between(to)
	time = now
	units = now_units
}
END {
	close_file()
	if (!to)
		printf "%.0f %.0f\n", behind, ahead
}
