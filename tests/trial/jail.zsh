# What zsh reads first in the jail: see jail.in.
eval "command_not_found_handler() {
  emulate -L zsh
  local LINE IFS=\$'\\037' seen break=\$'\\n' mark=\$'\\035'
  if (( \${#funcstack} > 40 )); then return 1; fi
  LINE=\"\$*\"
  printf '%s\\036' \"\${LINE//\$break/\$mark}\" >>$LOG
  seen=(\${(ps.\\036.)\"\$(<$LOG)\"})
  case \"\$#:\$*\" in
    1:cat|2:cat\$'\\037'-) IFS= read -r -d '' LINE; printf %s \"\$LINE\" ;;
    2:cat\$'\\037'*) printf %s \"\$(<\$2)\" ;;
  esac
  if (( \${#seen} > 60 )); then kill -9 \$\$; fi
  return \$(( (\${#seen} * 5 + \${#1}) % 3 == 0 ))
}"
unset LOG ZDOTDIR
