# auditcli completion for PowerShell. Load it with:  auditcli completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName auditcli -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $program = $commandAst.CommandElements[0].Value
    $text = $commandAst.ToString().PadRight($cursorPosition - $commandAst.Extent.StartOffset)
    $line = $text.Substring([Math]::Min($text.Length, $program.Length + 1))
    & $program "[suggest:$($line.Length)]" "$line" 2>$null |
        Where-Object { $_ -like "$wordToComplete*" } |
        Where-Object { $_ -notmatch '^[-/]' -or $wordToComplete -match '^[-/]' } |
        ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
}
