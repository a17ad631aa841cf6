package kvasir.scripts.binding;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PicturesTest {
    @Test
    void shortRecordsTakeOneLineEach() {
        assertEquals("{ a: 1 }\n{ a: 2 }", Pictures.of(List.of(Map.of("a", 1L), Map.of("a", 2L))));
    }

    @Test
    void aLongRecordIsFoldedBetweenItsFields() {
        var record = new LinkedHashMap<String, Object>();
        record.put("first", "x".repeat(40));
        record.put("second", "y".repeat(30));
        record.put("third", "z");
        assertEquals(
                "{ first: \"" + "x".repeat(40) + "\",\n    second: \"" + "y".repeat(30) + "\", third: \"z\" }",
                Pictures.of(record));
    }

    @Test
    void aFieldThatIsTooLongIsNotCut() {
        assertEquals("{ only: \"" + "x".repeat(100) + "\" }", Pictures.of(Map.of("only", "x".repeat(100))));
    }
}
