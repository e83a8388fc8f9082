/** Completion in fish. */

/** The script. */
export const fishScript = `# fish completion for countersign

function __countersign_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (countersign __complete "=$current" $words[2..-1] 2>/dev/null)
        switch $line
            case ':file'
                __fish_complete_path "$current"
            case ':directory'
                __fish_complete_directories "$current"
            case ':none'
            case '*'
                echo $line
        end
    end
end

complete -c countersign -f -a '(__countersign_complete)'
`
