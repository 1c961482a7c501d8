# auditcli completion for bash. Load it with:  source <(auditcli completion bash)
_auditcli() {
    local line point reply current
    # Without the program's own name, as the suggest directive counts.
    line=${COMP_LINE#*[[:space:]]}
    point=$((COMP_POINT - ${#COMP_LINE} + ${#line}))
    current=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=()
    while IFS= read -r reply; do
        # Options are offered when one is begun; otherwise a file or a word is what comes next.
        [[ $reply == [-/]* && $current != [-/]* ]] && continue
        [[ $reply == "$current"* ]] && COMPREPLY+=("$reply")
    done < <("${COMP_WORDS[0]}" "[suggest:$point]" "$line" 2>/dev/null)
}
complete -o default -F _auditcli auditcli
