/** Completion in zsh. */

/** The script, for `source` as well as for a file `_countersign` in `$fpath`. */
export const zshScript = `#compdef countersign
# zsh completion for countersign

_countersign() {
  local line value besides=none tab=$'\\t'
  local -a candidates
  for line in "\${(@f)$(countersign __complete "=\${words[CURRENT]}" "\${(@)words[2,CURRENT-1]}" 2>/dev/null)}"; do
    if [[ $line == :* ]]; then
      besides=\${line#:}
    elif [[ -n $line ]]; then
      value=\${\${line%%$tab*}//:/\\\\:}
      if [[ $line == *$tab* ]]; then
        candidates+=("$value:\${line#*$tab}")
      else
        candidates+=("$value")
      fi
    fi
  done
  (( $#candidates )) && _describe countersign candidates
  [[ $besides == none ]] && return
  [[ \${words[CURRENT]} == --*=* ]] && compset -P 1 '*='
  if [[ $besides == directory ]]; then
    _files -/
  else
    _files
  fi
}

if [[ $funcstack[1] == _countersign ]]; then
  _countersign "$@"
else
  compdef _countersign countersign
fi
`
