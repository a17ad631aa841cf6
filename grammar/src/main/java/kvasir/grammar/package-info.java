/**
 * The KVS language: grammar, syntax tree, diagnostics, formatter. Knows no machine: which operations, types and
 * patterns exist is for the registry to say, so none of their names is written here.
 *
 * <p>{@link kvasir.grammar.Kvs} turns a {@link kvasir.grammar.SourceFile} into a {@link kvasir.grammar.Script}
 * and {@link kvasir.grammar.Diagnostic}s; {@link kvasir.grammar.Formatter} writes a script in the canonical layout;
 * {@link kvasir.grammar.Lexemes} colours a line while it is typed.
 *
 * <p>Glossary
 * <ul>
 *   <li><b>operation</b>: {@code object.verb arguments}, with the outcome that is expected of it after {@code ->}.
 *   <li><b>word</b>: a bare name among the arguments. Whether it introduces a keyword parameter ({@code at} in
 *       {@code load probe at 1M}), is a value ({@code private}), or names a variable ({@code probe}), the registry
 *       knows and the tree does not.
 *   <li><b>pattern</b>: what follows {@code is} and {@code ->}: {@code leaf(4K, rwx)}, {@code ok left 0}, {@code FREE}.
 *   <li><b>semantics</b>: a named behaviour of the kernel, {@code v6.16}, {@code rfc-v2}.
 *   <li><b>span</b>: the piece of a source file that a node was read from.
 * </ul>
 */
@NullMarked
package kvasir.grammar;

import org.jspecify.annotations.NullMarked;
