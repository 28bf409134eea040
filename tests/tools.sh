#!/bin/sh
# What the tests use besides Python. Prints a line for each: there, installed or missing; never fails.
there() {
  case "$1" in
    chromium) command -v chromium || command -v chromium-browser || command -v google-chrome || command -v chrome ;;
    postgresql) ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null || command -v initdb ;;
    strace) command -v strace ;;
  esac >/dev/null
}
fresh=""
for tool in chromium postgresql strace; do
  if there "$tool"; then
    echo "there     $tool"
  elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    [ -n "$fresh" ] || apt-get update -qq >/dev/null 2>&1
    fresh=yes
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$tool" >/dev/null 2>&1
    if there "$tool"; then echo "installed $tool"; else echo "missing   $tool (apt could not install it)"; fi
  else
    echo "missing   $tool (installed by apt, for root only)"
  fi
done
exit 0
