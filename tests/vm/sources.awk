# SPDX-License-Identifier: GPL-2.0-only
# Rows of ADDRESS SUITE from apt's sources in deb822 style.

function end_stanza(   i, j, addresses, suites, m, n)
{
	if ((" " field["types"] " ") ~ / deb / && field["enabled"] !~ /^ *no/) {
		m = split(field["uris"], addresses, " ")
		n = split(field["suites"], suites, " ")
		for (i = 1; i <= m; i++)
			for (j = 1; j <= n; j++)
				print addresses[i], suites[j]
	}
	split("", field)
}

/^#/ { next }
/^[ \t]*$/ { end_stanza(); next }
/^[ \t]/ { field[key] = field[key] " " $0; next }
{
	key = tolower(substr($0, 1, index($0, ":") - 1))
	field[key] = substr($0, index($0, ":") + 1)
}
END { end_stanza() }
