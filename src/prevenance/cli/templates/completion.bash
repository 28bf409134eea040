# Completion of prevenance for bash: eval "$(prevenance completion bash)". Nothing is started while you type; choices of your own
# conf folder (--config-dir, PREVENANCE_CONF) are the names of its files.
_prevenance() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev="" head="" key="" value="" command="" conf=${PREVENANCE_CONF-} word i
    ((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD-1]}
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        [[ -z $command && $word != -* ]] && command=$word
        case $word in
            --config-dir | -cd)
                [[ ${COMP_WORDS[i+1]-} == "=" ]] && conf=${COMP_WORDS[i+2]-} || conf=${COMP_WORDS[i+1]-}
                ;;
            --config-dir=*) conf=${word#*=} ;;
        esac
    done
    # bash takes a word apart at "=" where COMP_WORDBREAKS says so, and then wants the end of it alone
    if [[ $cur == "=" ]]; then
        key=$prev value=""
    elif [[ $prev == "=" ]] && ((COMP_CWORD > 1)); then
        key=${COMP_WORDS[COMP_CWORD-2]} value=$cur
    elif [[ $cur == *=* ]]; then
        key=${cur%%=*} value=${cur#*=}
        [[ $COMP_WORDBREAKS == *=* ]] || head="$key="
    fi
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W "@COMMANDS@ --help --version" -- "$cur"))
    elif [[ $prev == --config-dir || $prev == -cd || $key == --config-dir ]]; then
        _prevenance_paths -d "$([[ $key ]] && echo "$value" || echo "$cur")"
    elif [[ $prev == --cfg ]]; then
        COMPREPLY=($(compgen -W "job" -- "$cur"))
    elif [[ $command == completion ]]; then
        COMPREPLY=($(compgen -W "bash zsh" -- "$cur"))
    elif [[ $key ]]; then
        case $command:$key in
            @FILE_KEYS@) _prevenance_paths -f "$value" ;;
            @FOLDER_KEYS@) _prevenance_paths -d "$value" ;;
            init:*) ;;
            @CHOICES@
        esac
        for ((i = 0; i < ${#COMPREPLY[@]}; i++)); do COMPREPLY[i]=$head${COMPREPLY[i]}; done
    elif [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "@FLAGS@" -- "$cur"))
    elif [[ $command == init ]]; then
        COMPREPLY=($(compgen -W "source= data=" -- "$cur") $(compgen -d -- "$cur"))
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2>/dev/null
    else
        case $command:$cur in
            @OWN_KEYS@
            *.*) COMPREPLY=($(compgen -W "@DEEP_KEYS@" -- "$cur")) ;;
            *) COMPREPLY=($(compgen -W "@KEYS@" -- "$cur")) ;;
        esac
        [[ ${COMPREPLY[0]-} == *[=.] ]] && compopt -o nospace 2>/dev/null
    fi
    return 0
}

_prevenance_paths() { # -d folders or -f files, and what is typed of the path
    local IFS=$'\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen "$1" -- "$2"))
}

_prevenance_choices() { # shipped choices of a group, those of the own conf folder, what is typed, the group, the folder
    local names=$1 path
    for path in "$4/$3"/*.yaml; do
        path=${path##*/}
        [[ $path == "*.yaml" ]] || names+=" ${path%.yaml}"
    done
    COMPREPLY=($(compgen -W "$names" -- "$2"))
}

complete -F _prevenance prevenance
