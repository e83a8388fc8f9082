/** Completion in Windows PowerShell and PowerShell. */

/** The script. Where nothing is answered, PowerShell offers files by itself. */
export const powershellScript = `# PowerShell completion for countersign

Register-ArgumentCompleter -Native -CommandName countersign -ScriptBlock {
    param($current, $line, $cursor)
    $words = @($line.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { $_.ToString() })
    & countersign __complete "=$current" @words 2>$null | ForEach-Object {
        if ($_ -ne '' -and -not $_.StartsWith(':')) {
            $value, $description = $_ -split "\`t", 2
            if (-not $description) { $description = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $description)
        }
    }
}
`
