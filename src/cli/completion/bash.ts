/** Completion in bash, from version 3.2 on. */

/** The script. bash takes `=` and `:` for the ends of words, so they are put together before the program is asked. */
export const bashScript = `# bash completion for countersign

__countersign_complete() {
  local word last line value index typed prefix current besides=none
  local -a words=()
  COMPREPLY=()
  for ((index = 1; index <= COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    last=\${#words[@]}
    if ((last > 0)) && [[ $word == [=:]* || \${words[last - 1]} == *[=:] ]]; then
      words[last - 1]+=$word
    else
      words+=("$word")
    fi
  done
  last=$((\${#words[@]} - 1))
  current=\${words[last]}
  unset "words[last]"
  typed=\${COMP_WORDS[COMP_CWORD]}
  [[ $typed == [=:] ]] && typed=
  prefix=\${current%"$typed"}
  while IFS= read -r line; do
    value=\${line%%$'\\t'*}
    case $value in
      :*) besides=\${value#:} ;;
      *) COMPREPLY+=("\${value#"$prefix"}") ;;
    esac
  done < <(countersign __complete "=$current" \${words[@]+"\${words[@]}"} 2>/dev/null)
  [[ $besides == none ]] && return
  type compopt &>/dev/null && compopt -o filenames
  while IFS= read -r line; do
    COMPREPLY+=("$line")
  done < <(compgen -A "$besides" -- "$typed")
}

complete -F __countersign_complete countersign
`
