#compdef prevenance
# Completion of prevenance for zsh: eval "$(prevenance completion zsh)" after compinit. Nothing is started while you type; choices of
# your own conf folder (--config-dir, PREVENANCE_CONF) are the names of its files.
_prevenance() {
    local command="" conf=${PREVENANCE_CONF-} key i
    local -a names
    for ((i = 2; i < CURRENT; i++)); do
        [[ -z $command && ${words[i]} != -* ]] && command=${words[i]}
        case ${words[i]} in
            --config-dir | -cd) conf=${words[i+1]-} ;;
            --config-dir=*) conf=${words[i]#*=} ;;
        esac
    done
    if ((CURRENT == 2)); then
        compadd -- @COMMANDS@ --help --version
    elif [[ ${words[CURRENT-1]} == (--config-dir|-cd) ]]; then
        _files -/
    elif [[ ${words[CURRENT-1]} == --cfg ]]; then
        compadd -- job
    elif [[ $command == completion ]]; then
        compadd -- bash zsh
    elif compset -P 1 '*='; then
        key=${IPREFIX%=}
        case $command:$key in
            @FILE_KEYS@) _files ;;
            @FOLDER_KEYS@|*:--config-dir) _files -/ ;;
            init:*) ;;
            @CHOICES@
        esac
    elif [[ $PREFIX == -* ]]; then
        compadd -- @FLAGS@
    elif [[ $command == init ]]; then
        compadd -S '' -- source= data=
        _files -/
    else
        case $command:$PREFIX in
            @OWN_KEYS@
            *.*) compadd -S '' -- @DEEP_KEYS@ ;;
            *) compadd -S '' -- @KEYS@ ;;
        esac
    fi
}

_prevenance_choices() { # shipped choices of a group, the group, the own conf folder
    compadd -- ${=1} $3/$2/*.yaml(N:t:r)
}

compdef _prevenance prevenance
