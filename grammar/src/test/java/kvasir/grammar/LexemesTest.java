package kvasir.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Colours of a line. */
class LexemesTest {
    @ParameterizedTest
    @CsvSource(
            delimiterString = " => ",
            value = {
                "let x = 4K // four => let:KEYWORD x:NAME =:OPERATOR 4K:NUMBER // four:COMMENT",
                "td.test(file(\"a\")) => td:NAME .:OPERATOR test:MEMBER (:BRACKET file:BUILTIN (:BRACKET \"a\":STRING ):BRACKET ):BRACKET",
                "on v6.16 -> EINVAL => on:KEYWORD v6.16:NAME ->:OPERATOR EINVAL:NAME",
                "{ gpa: 0, test: 1 } => {:BRACKET gpa:LABEL ::OPERATOR 0:NUMBER ,:OPERATOR test:LABEL ::OPERATOR 1:NUMBER }:BRACKET",
                "guest g = asm64 { a: lock mov byte [rdi], 1 ; x => guest:KEYWORD g:NAME =:OPERATOR asm64 {:KEYWORD a:LABEL ::OPERATOR lock:MNEMONIC mov:MNEMONIC byte:KEYWORD [:BRACKET rdi:NAME ]:BRACKET ,:OPERATOR 1:NUMBER ; x:COMMENT",
                "let s = \"open => let:KEYWORD s:NAME =:OPERATOR \"open:WRONG",
                "a && b ? => a:NAME &&:WRONG b:NAME ?:WRONG",
                "hex\"00\" shows x => hex\"00\":STRING shows:KEYWORD x:NAME",
            })
    void aLine(String text, String expected) {
        String shown = Lexemes.classify(text, Set.of("file")).stream()
                .map(each -> text.substring(each.start(), each.end()) + ":" + each.style())
                .collect(Collectors.joining(" "));
        assertEquals(expected, shown);
    }
}
