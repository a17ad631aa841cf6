package kvasir.registry;

import java.util.List;
import java.util.Map;

/**
 * What a script sees of one entry of a table, and what {@code is} compares with: {@code leaf(4K, rwx)}.
 *
 * @param name one word: {@code leaf}, {@code table}, {@code empty}, {@code FREE}, {@code MAPPED}
 * @param arguments in the order a pattern gives them; a size is a {@code Long}, a word is a {@code String}. A pattern
 *     may give fewer.
 * @param fields everything else by name, in a fixed order: {@code pfn}, {@code raw}, {@code level}, {@code accessed}
 */
public record State(String name, List<?> arguments, Map<String, ?> fields) {}
