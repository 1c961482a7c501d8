#compdef auditcli
# auditcli completion for zsh. Load it with:  source <(auditcli completion zsh)
_auditcli() {
    local line point reply current
    local -a replies
    line=${BUFFER#*[[:space:]]}
    point=$((CURSOR - ${#BUFFER} + ${#line}))
    current=${words[CURRENT]}
    while IFS= read -r reply; do
        [[ $reply == [-/]* && $current != [-/]* ]] && continue
        replies+=("$reply")
    done < <("${words[1]}" "[suggest:$point]" "$line" 2>/dev/null)
    if (( ${#replies} )); then
        compadd -- "${replies[@]}"
    else
        _files
    fi
}
if [[ ${funcstack[1]} == _auditcli ]]; then
    _auditcli "$@"
else
    compdef _auditcli auditcli
fi
