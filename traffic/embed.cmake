# cmake -DINPUT=file -DOUTPUT=file.cpp -DSYMBOL=name -P embed.cmake
# Writes a C++ file that holds the input's bytes.
file(READ "${INPUT}" hex HEX)
string(LENGTH "${hex}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," body "${hex}")
file(WRITE "${OUTPUT}" "#include \"e1000tlm/traffic/default_capture.h\"

namespace e1000tlm::traffic {
namespace {
constexpr unsigned char kBytes[${size}] = {
${body}};
}  // namespace
ConstBytes ${SYMBOL}() { return {kBytes, sizeof(kBytes)}; }
}  // namespace e1000tlm::traffic
")
