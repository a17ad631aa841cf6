# Sourced by kvs, mvnw and .ci/run: find_jdk25 sets JDK25 to the home of a JDK 25, whatever `java` on the PATH is.
# Only the `release` file of a JDK is read: starting each candidate to ask for its version would cost more than
# everything else the launcher does.

# is_jdk25 HOME: whether HOME holds a JDK 25; sets JDK25_BUILD to its exact build.
is_jdk25() {
    [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 1
    JDK25_BUILD=
    jdk25_version=
    while IFS='=' read -r jdk25_key jdk25_value; do
        case $jdk25_key in
            JAVA_RUNTIME_VERSION) JDK25_BUILD=${jdk25_value#\"} JDK25_BUILD=${JDK25_BUILD%\"*} ;;
            JAVA_VERSION) jdk25_version=${jdk25_value#\"} jdk25_version=${jdk25_version%\"*} ;;
        esac
    done <"$1/release"
    case $jdk25_version in
        25 | 25.*) JDK25_BUILD=${JDK25_BUILD:-$jdk25_version} ;;
        *) return 1 ;;
    esac
}

find_jdk25() {
    for JDK25 in "${JAVA_HOME:-}" \
        /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* \
        "${HOME:-}"/.sdkman/candidates/java/* "${HOME:-}"/.jdks/* "${HOME:-}"/.local/share/mise/installs/java/* \
        /Library/Java/JavaVirtualMachines/*/Contents/Home /opt/homebrew/opt/openjdk@25 /usr/local/opt/openjdk@25; do
        [ -n "$JDK25" ] && is_jdk25 "$JDK25" && return 0
    done
    if [ -x /usr/libexec/java_home ]; then
        JDK25=$(/usr/libexec/java_home -v 25 2>/dev/null) && is_jdk25 "$JDK25" && return 0
    fi
    if JDK25=$(command -v java); then
        JDK25=$(readlink -f "$JDK25" 2>/dev/null || printf %s "$JDK25")
        JDK25=${JDK25%/bin/java}
        is_jdk25 "$JDK25" && return 0
    fi
    JDK25=
    return 1
}

# The one message for a machine without a JDK 25. $1 is who says it.
no_jdk25() {
    printf '%s\n' \
        "$1: no JDK 25 found (looked at JAVA_HOME, /usr/lib/jvm, /Library/Java, ~/.sdkman, ~/.jdks and the PATH)." \
        "Install one: 'apt install openjdk-25-jdk-headless' or 'dnf install java-25-openjdk-devel' or" \
        "'brew install openjdk@25', or unpack one from https://adoptium.net and set JAVA_HOME to it." >&2
}
