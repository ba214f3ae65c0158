# gnuplot -c plots.gp DATA IMAGES [svg|png]: the pictures of doc/linux.md.
data = ARG1
images = ARG2
kind = ARGC > 2 ? ARG3 : "svg"
set encoding utf8
set grid lc rgb "#dddddd" lw 1
set border 3 lc rgb "#666666"
set tics nomirror
set style data linespoints
set key bottom right spacing 1.2
array Colour[2] = ["#0b6fb8", "#d1570c"]
eval kind eq "svg" ? "set terminal svg size 1000,760 dynamic font 'Helvetica,13' background 'white'" \
  : "set terminal pngcairo size 1000,760 font 'Helvetica,12'"
file(name) = sprintf("%s/%s.dat", data, name)
set output sprintf("%s/figures.%s", images, kind)
set multiplot layout 2,2
do for [name in "tcp udp interrupts rtt"] {
  set title name eq "tcp" ? "TCP goodput, Mbit/s" : name eq "udp" ? "UDP datagrams a second" : \
    name eq "interrupts" ? "interrupts a second of the sender" : "round trip, ms"
  set xlabel name eq "udp" ? "payload, bytes" : name eq "rtt" ? "time between interrupts, µs" : "MTU, bytes"
  if (name eq "tcp") { set yrange [700:1000] } else { set yrange [0:*] }
  if (name eq "udp" || name eq "interrupts") { set key top right } else { set key bottom right }
  if (name eq "tcp") {
    plot file(name) using 1:2 title "32 bit, 33 MHz" lc rgb Colour[1] lw 2 pt 7 ps 0.6, \
      file(name) using 1:3 title "expected" with lines lc rgb Colour[1] lw 1 dt 2, \
      file(name) using 1:4 title "64 bit, 66 MHz" lc rgb Colour[2] lw 2 pt 5 ps 0.6, \
      file(name) using 1:5 title "expected" with lines lc rgb Colour[2] lw 1 dt 2
  } else {
    plot file(name) using 1:2 title "32 bit, 33 MHz" lc rgb Colour[1] lw 2 pt 7 ps 0.6, \
      file(name) using 1:3 title "64 bit, 66 MHz" lc rgb Colour[2] lw 2 pt 5 ps 0.6
  }
}
unset multiplot
