#!/usr/bin/env bats
# What a shell makes of a TAB. bash and zsh are driven on a terminal, as a user does it:
# words are typed, then TAB and Enter, and a program called knarr writes down what it was
# called with. fish is asked for its candidates. Needs no root.
load helpers

setup() {
	program_setup
	mkdir -p "$T/bin" "$T/functions" "$T/bundle" "$ROOT/one" "$ROOT/two"
	: >"$T/file"
	cat >"$T/bin/knarr" <<-END
		#!/bin/sh
		case " \$* " in
		*' list --quiet '*) exec '$KNARR' "\$@" ;;
		esac
		echo "\$*" >>'$T/called'
	END
	chmod +x "$T/bin/knarr"
	PATH=$T/bin:$PATH
	typed >"$T/typed"
}

teardown() {
	rm -rf --one-file-system "$T"
}

# What is typed before the TAB, and what its last word becomes: the same in all shells.
typed() {
	cat <<-END
		feat|features
		--log-format j|json
		--log-format=j|--log-format=json
		--log $T/fil|$T/file
		--debug run --no-p|--no-pivot
		run --layer $T/bund|$T/bundle
		create -b $T/bund|$T/bundle
		exec --process $T/fil|$T/file
		exec --process=$T/fil|--process=$T/file
		list --format j|json
		check $T/bund|$T/bundle
		help kil|kill
		completion zs|zsh
		mounts ad|add
		--root $ROOT state on|one
		--root=$ROOT state on|one
		state --root $ROOT on|one
		--root $ROOT exec --env run on|one
		--root $ROOT delete --force one tw|two
		--root $ROOT mounts add on|one
		--root $ROOT mounts add one $T/fil|$T/file
		--root $ROOT create on|on
		--root $ROOT kill one tw|tw
		--root $ROOT exec one tw|tw
	END
}

# type_in COMMAND: types the lines into a shell on a terminal. The next line waits for
# what the last one called.
type_in() {
	local line n=0
	: >"$T/called"
	while IFS='|' read -r line _; do
		printf 'knarr %s\t\n' "$line"
		n=$((n + 1))
		for _ in $(seq 300); do
			[ "$(wc -l <"$T/called")" -lt $n ] || break
			sleep 0.05
		done
	done <"$T/typed" | TERM=vt100 script -qec "$1" /dev/null >"$T/screen" 2>&1
	while IFS='|' read -r line word; do
		case $line in
		*' '*) echo "${line% *} $word" ;;
		*) echo "$word" ;;
		esac
	done <"$T/typed" >"$T/wanted"
	# A directory may be followed by a slash.
	sed 's|/$||' "$T/called" | diff "$T/wanted" -
}

@test "bash completes what is typed" {
	requires_command script
	cat >"$T/rc" <<-END
		PATH=$T/bin:\$PATH PS1= HISTFILE=
		source <('$KNARR' completion bash)
	END
	type_in "bash --noprofile --rcfile '$T/rc' -i"
}

@test "zsh completes what is typed" {
	requires_command zsh
	requires_command script
	"$KNARR" completion zsh >"$T/functions/_knarr"
	cat >"$T/.zshrc" <<-END
		PATH=$T/bin:\$PATH PS1= PROMPT_SP=
		fpath=($T/functions \$fpath)
		autoload -Uz compinit && compinit -u -D
	END
	ZDOTDIR=$T type_in 'zsh -d -i'
}

@test "fish offers what is typed, and every option of every command" {
	requires_command fish
	local line word command
	"$KNARR" completion fish >"$T/knarr.fish"
	cat >"$T/ask.fish" <<-END
		source $T/knarr.fish
		while read line
			printf '%s|%s\n' \$line (complete -C "knarr \$line" | string split -f1 \t | string join ' ')
		end
	END
	cut -d'|' -f1 "$T/typed" | HOME=$T fish --no-config "$T/ask.fish" | sed 's|/$||' >"$T/offered"
	# Nothing is offered where the word stays.
	sed -E 's/( |^)([^ ]*)\|\2$/\1\2|/' "$T/typed" | diff - "$T/offered"
	for command in $("$KNARR" help | sed -n '/ommands.*:$/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'); do
		"$KNARR" help "$command" | sed -n 's/^  \(-., \|    \)\(--[a-z0-9-]*\).*/\2/p' | sort >"$T/wanted"
		echo "$command --" | HOME=$T fish --no-config "$T/ask.fish" | cut -d'|' -f2 | tr ' ' '\n' | sort >"$T/offered"
		[ -z "$(comm -23 "$T/wanted" "$T/offered")" ]
	done
}
