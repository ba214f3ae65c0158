# Makes the manual page of e1000-sim from what --help prints, so that the two cannot differ:
#   e1000-sim --help | awk -v version=1.2.3 -f doc/man_text.awk -f doc/man_page.awk > e1000-sim.1

BEGIN {
  print ".\\\" Made from e1000-sim --help by doc/man_page.awk."
  print ".TH E1000\\-SIM 1 \"\" \"e1000\\-tlm " quoted(version) "\" \"User Commands\""
}

# "program: what it is" and the paragraph below it.
NR == 1 {
  colon = index($0, ": ")
  what = substr($0, colon + 2)
  sub(/\.$/, "", what)
  print ".SH NAME\ne1000\\-sim \\- " quoted(what)
  print ".SH SYNOPSIS\n.B e1000\\-sim\n.RI [ option ...]\n.SH DESCRIPTION"
  next
}

# A line at the margin is text of the description at first, then the title of a section.
/^[A-Z]/ && (section || /^(Examples|Options:)/) {
  section = $0
  note = ""
  if (match(section, / \(.*\)$/)) {
    note = substr(section, RSTART + 2, RLENGTH - 3)
    section = substr(section, 1, RSTART - 1)
  }
  sub(/:$/, "", section)
  print ".SH " toupper(quoted(section))
  if (note) print quoted(note)
  next
}

/^$/ {
  paragraph = 1
  next
}

!section {
  if (paragraph && described) print ".PP"
  paragraph = 0
  described = 1
  print quoted($0)
  next
}

# An option or a kind of link: its name in bold, what it is indented below it.
(section == "Options" && /^  -/) || (section == "Links" && /^  [a-z]+   *[^ ]/ && $0 !~ /^  [a-z]+ [^ ]/) {
  line = substr($0, 3)
  gap = match(line, /   *[^ ]/)
  if (section == "Options") {  # the texts begin in one column, whatever the names need
    if (!column) column = gap + RLENGTH - 1
    gap = length(line) > column ? column : 0
  }
  name = gap ? substr(line, 1, gap - 1) : line
  sub(/ +$/, "", name)
  if (match(name, /^-. \[ .* \]$/)) name = substr(name, 1, 2) ", " substr(name, 6, length(name) - 7)
  print ".TP\n.B " quoted(name)
  if (gap) {
    rest = substr(line, gap)
    sub(/^ +/, "", rest)
    print quoted(rest)
  }
  next
}

section == "Options" {
  sub(/^ +/, "")
  print quoted($0)
  next
}

section == "Links" {
  if (/^  every /) print ".PP\n.nf"
  unfilled = 1
  sub(/^ +/, "")
  print quoted($0)
  next
}

section == "Examples" {
  sub(/^  /, "")
  print (unfilled++ ? "" : ".nf\n") quoted($0)
  next
}

# Other sections: "0    fine" is an entry that may go on in deeper lines; else columns side by side.
/^     / {
  sub(/^ +/, "")
  print quoted($0)
  next
}

{
  sub(/^ +/, "")
  n = split($0, parts, /   +/)
  if (n == 2 && parts[1] ~ /^[0-9, ]+$/) {
    print ".TP\n.B " quoted(parts[1]) "\n" quoted(parts[2])
  } else {
    for (i = 1; i <= n; i++) print ".br\n" quoted(parts[i])
  }
}

END {
  print ".SH SEE ALSO"
  print "The documents in the folder\n.I doc\nof the project: the keys of the JSON report, the qtest protocol, virtual machines, limits, timing."
}
