# Makes the manual page of e1000-ctl from what --help prints, so that the two cannot differ:
#   e1000-ctl --help | awk -v version=1.2.3 -f doc/man_text.awk -f doc/ctl_man_page.awk > e1000-ctl.1

BEGIN {
  print ".\\\" Made from e1000-ctl --help by doc/ctl_man_page.awk."
  print ".TH E1000\\-CTL 1 \"\" \"e1000\\-tlm " quoted(version) "\" \"User Commands\""
}

# "program: what it is".
NR == 1 {
  what = substr($0, index($0, ": ") + 2)
  sub(/\.$/, "", what)
  print ".SH NAME\ne1000\\-ctl \\- " quoted(what)
  next
}

/^Usage$/ {
  print ".SH SYNOPSIS"
  next
}

/^Commands / {
  print ".SH " toupper(quoted($0))
  commands = 1
  next
}

/^Exit status: / {
  print ".SH EXIT STATUS"
  print quoted(substr($0, length("Exit status: ") + 1))
  next
}

# A command, and behind a gap what it does; elsewhere what is typed.
/^  / {
  line = substr($0, 3)
  gap = match(line, /   *[^ ]/)
  if (commands && gap) {
    print ".TP\n.B " quoted(substr(line, 1, gap - 1))
    print quoted(substr(line, gap + RLENGTH - 1))
  } else {
    print ".B " quoted(line)
  }
  next
}

/^$/ {
  paragraph = 1
  next
}

{
  if (!described && !commands) print ".SH DESCRIPTION"
  if (commands) print ".SH NOTES"
  described = 1
  commands = 0
  print quoted($0)
}

END {
  print ".SH SEE ALSO\n.BR e1000\\-sim (1)"
  print ".br\nThe document\n.I doc/control.md\nof the project."
}
