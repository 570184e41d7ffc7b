# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Completion of fibtrace for bash.

# Prints the possible values of option $1; nothing where only the user knows them.
_fibtrace_values() {
	case $1 in
	-P | --proto) echo icmp ipv6-icmp tcp udp sctp gre esp ;;
	-u | --uid) compgen -u ;;
	-p | --pid) (cd /proc && echo [0-9]*) ;;
	-i | --iif | -o | --oif) (cd /sys/class/net && echo *) ;;
	--table) echo local main default &&
		cat /{usr/share,etc}/iproute2/rt_tables{,.d/*.conf} 2>/dev/null |
		awk '$1 ~ /^[0-9]/ && $1 != 0 { print $2 }' ;;
	--pref) { ip -4 rule && ip -6 rule; } 2>/dev/null | cut -d: -f1 | sort -un ;;
	--purpose) echo output input source-check reroute route-get other ;;
	--netns) echo all && ls /run/netns 2>/dev/null ;;
	--format)
		case " ${COMP_WORDS[*]} " in
		*' features '*) echo json ;;
		*' diff '*) echo tree json ;;
		*) echo tree line json ;;
		esac
		;;
	--color) echo auto always never ;;
	--attach) echo auto fentry kprobe tracepoint ;;
	-w | -r) compgen -f -- "${COMP_WORDS[COMP_CWORD]}" ;;
	esac
}

_fibtrace() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} word
	local valued=' -d --dst -s --src -P --proto --sport --dport -m --mark -u --uid -p --pid
		-i --iif -o --oif --table --pref --purpose --netns --format --color -c --count
		-w -C -W -G -r --duration --attach --buffer --max-routes '
	local flags=' -4 -6 --failed --findings --utc --journal --follow --stats --all -q --quiet -v --verbose -h --help -V --version '

	COMPREPLY=()
	for ((word = 1; word < COMP_CWORD; word++)); do
		if [[ ${COMP_WORDS[word]} == -- ]]; then
			declare -F _command_offset >/dev/null && _command_offset $((word + 1))
			return
		fi
	done
	# bash splits "--dst=10/8" into three words.
	if [[ $current == = ]]; then
		current=''
	elif [[ $previous == = ]]; then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $valued =~ [[:space:]]"$previous"[[:space:]] ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_fibtrace_values "$previous")" -- "$current")
	elif [[ $current == -* && ${COMP_WORDS[1]} == features ]]; then
		mapfile -t COMPREPLY < <(compgen -W '--format -q --quiet -v --verbose -h --help
			-V --version' -- "$current")
	elif [[ $current == -* && ${COMP_WORDS[1]} == read ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(tr -s '[:space:]' '\n' <<<"$valued$flags" |
			grep -v -x -e -w -e -C -e -W -e -G -e -r -e --duration -e --attach \
				-e --buffer -e --max-routes -e --all -e --journal)" -- "$current")
	elif [[ $current == -* && ${COMP_WORDS[1]} == diff ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(tr -s '[:space:]' '\n' <<<"$valued$flags" |
			grep -v -x -e -w -e -C -e -W -e -G -e -r -e -c -e --count -e --duration \
				-e --attach -e --buffer -e --all -e --findings -e --utc -e --follow \
				-e --stats -e --journal)" -- "$current")
	elif [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$valued$flags --" -- "$current")
	elif ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W 'read diff features' -- "$current")
	elif [[ ${COMP_WORDS[1]} == read || ${COMP_WORDS[1]} == diff ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}

complete -F _fibtrace fibtrace
