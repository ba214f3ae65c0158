# gnuplot -c plots.gp DATA IMAGES [svg|png]: the pictures of doc/performance.md from e1000-speed's CSV.
data = ARG1
images = ARG2
kind = ARGC > 2 ? ARG3 : "svg"
set datafile separator ","
set datafile columnheaders
set encoding utf8
set grid xtics ytics lc rgb "#dddddd" lw 1
set border 3 lc rgb "#666666"
set tics nomirror
array Colour[4] = ["#0b6fb8", "#d1570c", "#2a9134", "#8b3fa0"]
file(name) = sprintf("%s/%s.csv", data, name)
terminal(wide, high) = kind eq "svg" \
  ? sprintf("set terminal svg size %d,%d dynamic font 'Helvetica,13' background 'white'", wide, high) \
  : sprintf("set terminal pngcairo size %d,%d font 'Helvetica,12'", wide, high)
picture(name) = sprintf("set output '%s/%s.%s'", images, name, kind)
when(condition, value) = condition ? value : NaN

# --- speed by size: lines are the simulation, crosses the targets ---
eval terminal(1000, 420)
eval picture("speed")
set multiplot layout 1,2 margins 0.07,0.985,0.27,0.88 spacing 0.07,0
set style data linespoints
set logscale xy
set xtics (64, 256, 1514, 9014)
set xrange [50:12000]
set yrange [0.1:20]
set xlabel "frame with FCS, bytes"
gigabit(x) = 125.0 / (x + 20)
do for [a = 1:2] {
  timed = word("loosely approximately", a)
  set title timed . " timed" font ",14"
  if (a == 1) { set ylabel "million frames a second of one core" } else { unset ylabel }
  if (a == 1) { set key at screen 0.5,0.01 center bottom maxrows 2 Left reverse width 2 } else { unset key }
  plot gigabit(x) with lines lw 1.5 lc rgb "#888888" title "a real gigabit line", \
    for [d = 1:3] file("speed") \
      using 2:(when(strcol(1) eq word("transmit receive forward", d) && strcol(3) eq timed, $4)) \
      with points pt 7 ps 0.9 lc rgb Colour[d] title word("transmit receive forward", d), \
    for [d = 1:3] file("speed") \
      using 2:(when(strcol(1) eq word("transmit receive forward", d) && strcol(3) eq timed && strlen(strcol(7)) > 0, column(7))) \
      with points pt 2 ps 1.2 lw 2 lc rgb Colour[d] title (d == 1 ? "target" : "")
}
unset multiplot
unset logscale

# --- adapters on a switch ---
eval terminal(700, 400)
eval picture("switch")
unset title
set logscale x 2
set xrange [0.9:72]
set xtics (1, 2, 4, 8, 16, 32, 64)
set yrange [0:6]
set xlabel "adapters on one switch, each on a board of its own"
set ylabel "cost of a frame, times that at one"
set key default
set key on inside top left Left reverse
array Size[4] = [64, 1514, 64, 1514]
plot 1.3 with lines dt 2 lw 1.5 lc rgb "#888888" title "target", \
  for [c = 1:4] file("switch") \
    using 3:(when($1 == Size[c] && strcol(2) eq word("loosely loosely approximately approximately", c), $6)) \
    with points pt 7 ps 0.9 lc rgb Colour[c] \
    title sprintf("%d bytes, %s timed", Size[c], word("loosely loosely approximately approximately", c))
