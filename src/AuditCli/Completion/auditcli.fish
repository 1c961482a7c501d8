# auditcli completion for fish. Load it with:  auditcli completion fish | source
function __auditcli_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l line (string join ' ' -- $words[2..-1] $current)
    for reply in ($words[1] "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)
        if string match -qr -- '^[-/]' $reply; and not string match -qr -- '^[-/]' $current
            continue
        end
        echo $reply
    end
end
complete -c auditcli -a '(__auditcli_complete)'
