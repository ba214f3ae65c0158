# Completion of e1000-ctl in bash: commands, and with a running simulator links, adapters and
# registers as it has them.

_e1000_ctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} address=${E1000_CONTROL-} i command="" place=0
  local commands="info stats time read registers eeprom phy methods set_link plug unplug impair
    capture_start capture_stop pause resume step stop"
  # COMP_WORDS takes words apart at colons: the address is read from the line as it stands.
  if [[ $COMP_LINE =~ -c[[:space:]]+([^[:space:]]+)[[:space:]] ]]; then address=${BASH_REMATCH[1]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ -n $command ]]; then
      place=$((place + 1))
    elif [[ " "${commands//$'\n'/ }" " == *" ${COMP_WORDS[i]} "* ]]; then
      command=${COMP_WORDS[i]}
    fi
  done
  local ask=(e1000-ctl -c "$address" --json) words=""
  _e1000_ctl_keys() { # FIELD COMMAND...: the values of a field in the answer
    "${ask[@]}" "${@:2}" 2> /dev/null | grep -o "\"$1\":\"\?[^\",}]*" | sed 's/^[^:]*:"\?//'
  }
  case $command:$place in
    :*) words="$commands -c --json --help" ;;
    info:0) words="links nics switches" ;;
    set_link:1) words="on off" ;;
    set_link:0 | plug:0 | unplug:0 | impair:0 | capture_start:0 | capture_stop:0)
      words=$(_e1000_ctl_keys link info links)
      ;;
    capture_start:1) COMPREPLY=($(compgen -f -- "$cur")) && return ;;
    read:0)
      words=$("${ask[@]}" registers 2> /dev/null | grep -o '"[A-Z0-9_]*[][".]' | tr -d '"[].')
      ;;
    read:1 | registers:0 | eeprom:0 | phy:0) words=$(_e1000_ctl_keys nic info nics) ;;
    impair:*)
      words="loss= burst= lose= corrupt= fcs= duplicate= reorder= depth= wait= delay= jitter= dist=
        overtake= rate= queue= from= until= seed= index="
      compopt -o nospace
      ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _e1000_ctl e1000-ctl
