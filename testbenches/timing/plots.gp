# gnuplot -c plots.gp DATA IMAGES [svg|png]: the pictures of doc/timing.md from e1000-timing's CSV.
data = ARG1
images = ARG2
kind = ARGC > 2 ? ARG3 : "svg"
set datafile separator ","
set datafile columnheaders
set encoding utf8
set grid lc rgb "#dddddd" lw 1
set border 3 lc rgb "#666666"
set tics nomirror
set style data linespoints
set key spacing 1.2
grey = "#888888"
array Colour[5] = ["#0b6fb8", "#d1570c", "#2a9134", "#8b3fa0", "#222222"]
set samples 300

file(name) = sprintf("%s/%s.csv", data, name)
terminal(wide, high) = kind eq "svg" \
  ? sprintf("set terminal svg size %d,%d dynamic font 'Helvetica,13' background 'white'", wide, high) \
  : sprintf("set terminal pngcairo size %d,%d font 'Helvetica,12'", wide, high)
picture(name) = sprintf("set output '%s/%s.%s'", images, name, kind)
when(condition, value) = condition ? value : NaN

line(x) = 1000 * x / (x + 20) # Mbit/s of frames with FCS: preamble and gap are 20 byte times

# --- throughput: points are the simulation, thin lines the arithmetic ---
buses = "32/33 64/33 32/66 64/66 64/133x"
array Mark[5] = [7, 5, 9, 10, 6]
array Size[5] = [0.8, 0.8, 0.9, 1.3, 1.7]
eval terminal(1000, 440)
eval picture("throughput")
set multiplot layout 1,3 margins 0.08,0.985,0.28,0.90 spacing 0.05,0
set logscale x 2
set xrange [56:1750]
set xtics (64, 128, 256, 512, 1518)
set yrange [0:1050]
set xlabel "frame with FCS, bytes"
do for [d = 1:3] {
  direction = word("transmit receive both", d)
  set title (d == 3 ? "both directions, each" : direction) font ",14"
  if (d == 1) { set ylabel "Mbit/s (frames with FCS)" } else { unset ylabel }
  if (d == 2) { set key at screen 0.5,0.01 center bottom maxrows 2 Left reverse width 3 } else { unset key }
  plot line(x) lw 1.5 lc rgb grey with lines title "line rate", \
       NaN with lines lw 1.5 dt 3 lc rgb "black" title "bus arithmetic", \
       for [b = 1:5] file("throughput") \
         using 3:(when(strcol(1) eq word(buses, b) && strcol(2) eq direction, $5 * $3 * 8 / 1e6)) \
         with lines lw 1.5 dt 3 lc rgb Colour[b] notitle, \
       for [b = 1:5] file("throughput") \
         using 3:(when(strcol(1) eq word(buses, b) && strcol(2) eq direction, $4 * $3 * 8 / 1e6)) \
         with points pt Mark[b] ps Size[b] lw 1.3 lc rgb Colour[b] \
         title word(buses, b) . (b == 5 ? " (PCI-X)" : "")
}
unset multiplot
unset logscale x
set key default spacing 1.2
unset title

# --- ITR ---
eval terminal(1000, 400)
eval picture("itr")
set multiplot layout 1,2 margins 0.075,0.98,0.16,0.95 spacing 0.11,0
loads = "6092 49603 234962"
set xrange [0:520]
set xtics 100
set xlabel "ITR interval, µs"
set ylabel "mean delay, last bit to software, µs"
set yrange [0:280]
set key top left Left reverse
plot for [l = 1:3] file("moderation") \
       using 3:(when(strcol(1) eq "ITR" && strcol(4) eq word(loads, l), $5)) \
       with points pt 5 + 2 * (l > 1) + 2 * (l > 2) ps 0.9 lc rgb Colour[l] \
       title sprintf("%s frames/s", word(loads, l)), \
     x / 2 with lines lw 1.5 dt 3 lc rgb grey title "half the interval"
set ylabel "interrupts a second"
set logscale y
set yrange [1000:400000]
set key top right Left reverse
plot for [l = 1:3] file("moderation") \
       using 3:(when(strcol(1) eq "ITR" && strcol(4) eq word(loads, l), $8)) \
       with points pt 5 + 2 * (l > 1) + 2 * (l > 2) ps 0.9 lc rgb Colour[l] \
       title sprintf("%s frames/s", word(loads, l)), \
     1e6 / x with lines lw 1.5 dt 3 lc rgb grey title "1 / interval"
unset multiplot
unset logscale y

# --- delay timers ---
eval terminal(1000, 400)
eval picture("delay_timers")
set multiplot layout 1,2 margins 0.075,0.98,0.16,0.90 spacing 0.10,0
set xrange [0:140]
set xtics 20
set yrange [0:160]
set xlabel "RDTR, µs"
set ylabel "delay, last bit to software, µs"
set title "RDTR, frames 164 µs apart" font ",13"
set key top left Left reverse
plot file("moderation") using 3:(when(strcol(1) eq "RDTR", $5)) \
       with points pt 7 ps 0.9 lc rgb Colour[1] title "mean", \
     file("moderation") using 3:(when(strcol(1) eq "RDTR", $7)) \
       with points pt 8 ps 1.1 lc rgb Colour[2] title "worst", \
     file("moderation") using 3:(when(strcol(1) eq "RDTR", $6)) \
       with lines lw 1.5 dt 3 lc rgb grey title "mean by arithmetic"
set xrange [0:280]
set xtics 40
set yrange [0:280]
set xlabel "RADV, µs"
set title "RADV, frames 20 µs apart, RDTR 66 µs" font ",13"
plot file("moderation") using 3:(when(strcol(1) eq "RADV", $5)) \
       with points pt 7 ps 0.9 lc rgb Colour[1] title "mean", \
     file("moderation") using 3:(when(strcol(1) eq "RADV", $7)) \
       with points pt 8 ps 1.1 lc rgb Colour[2] title "worst", \
     file("moderation") using 3:(when(strcol(1) eq "RADV", $6)) \
       with lines lw 1.5 dt 3 lc rgb grey title "mean by arithmetic"
unset multiplot
unset title

# --- rings ---
eval terminal(640, 400)
eval picture("rings")
set logscale x 2
set xrange [13:5000]
set xtics (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
set yrange [0:1600]
set y2range [0:100]
set y2tics 20
set xlabel "receive descriptors"
set ylabel "received, thousand frames/s"
set y2label "lost, %"
set border 11
set key left center Left reverse
plot file("rings") using 1:2 with points pt 7 ps 0.9 lc rgb Colour[1] title "received", \
     file("rings") using 1:3 with lines lw 1.5 dt 3 lc rgb Colour[1] title "by arithmetic", \
     file("rings") using 1:4 axes x1y2 pt 9 ps 0.9 lw 1 lc rgb Colour[2] title "lost", \
     1488.1 with lines lw 1.5 lc rgb grey title "line rate"
unset y2tics
unset y2label
set border 3

# --- shared bus ---
eval terminal(1000, 420)
eval picture("shared")
set multiplot layout 1,3 margins 0.08,0.985,0.28,0.89 spacing 0.05,0
set xrange [56:1750]
set xtics (64, 128, 256, 512, 1518)
set xlabel "frame with FCS, bytes"
set yrange [0:2100]
do for [b = 1:3] {
  bus = word("32/33 32/66 64/66", b)
  set title bus font ",14"
  if (b == 1) { set ylabel "transmitted, Mbit/s" } else { unset ylabel }
  if (b == 2) { set key at screen 0.5,0.02 center bottom maxrows 2 Left reverse width 2 } else { unset key }
  plot line(x) with lines lw 1.5 lc rgb grey title "line rate of one", \
       2 * line(x) with lines lw 1.5 dt 2 lc rgb grey title "of two", \
       file("shared") using 2:(when(strcol(1) eq bus, $6 * $2 * 8 / 1e3)) \
         with lines lw 1.5 dt 3 lc rgb Colour[2] title "two, by arithmetic", \
       file("shared") using 2:(when(strcol(1) eq bus, $3 * $2 * 8 / 1e3)) \
         with points pt 7 ps 0.8 lc rgb Colour[1] title "one adapter", \
       file("shared") using 2:(when(strcol(1) eq bus, $5 * $2 * 8 / 1e3)) \
         with points pt 4 ps 1.3 lw 1.3 lc rgb Colour[2] title "two, together"
}
unset multiplot
unset title
set key default spacing 1.2

# --- disconnects ---
eval terminal(640, 400)
eval picture("disconnects")
set xrange [13:9500]
set xtics ("16" 16, "32" 32, "64" 64, "128" 128, "256" 256, "512" 512, "1024" 1024, "4096" 4096, \
           "never" 8192)
set yrange [0:1050]
set xlabel "target disconnects at multiples of, bytes"
set ylabel "transmitted, Mbit/s (1518 B)"
set key right bottom Left reverse
at(text) = text eq "never" ? 8192 : real(text)
plot for [b = 1:2] file("disconnects") \
       using (at(strcol(2))):(when(strcol(1) eq word("32/33 64/66", b), $4 * 1518 * 8 / 1e3)) \
       with lines lw 1.5 dt 3 lc rgb Colour[b] notitle, \
     for [b = 1:2] file("disconnects") \
       using (at(strcol(2))):(when(strcol(1) eq word("32/33 64/66", b), $3 * 1518 * 8 / 1e3)) \
       with points pt 7 ps 0.9 lc rgb Colour[b] title word("32/33 64/66", b), \
     987 with lines lw 1.5 lc rgb grey title "line rate", \
     NaN with lines lw 1.5 dt 3 lc rgb "black" title "bus arithmetic"
