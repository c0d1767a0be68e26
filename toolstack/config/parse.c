/* SPDX-License-Identifier: MIT */
/*
 * Domain XML as text into a tree by libxml2, and the walk over that tree by the table of
 * elements. See config.h and reader.h. A document type declaration stops the parser at once: no
 * entity is ever defined, so none expands.
 */
#include <errno.h>
#include <libxml/parser.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"

static void describe(char *text, size_t size, const struct reader *reader, const xmlNode *node,
		     const char *fmt, va_list args)
{
	int len = snprintf(text, size, "%s:%ld: ", reader->file, node ? xmlGetLineNo(node) : 1L);

	if (len > 0 && (size_t)len < size)
		vsnprintf(text + len, size - (size_t)len, fmt, args);
}

int reader_refuse(struct reader *reader, const xmlNode *node, const char *fmt, ...)
{
	char text[sizeof(reader->err->text)];
	va_list args;

	va_start(args, fmt);
	describe(text, sizeof(text), reader, node, fmt, args);
	va_end(args);
	return error_set(reader->err, ERROR_DEFINITION, "%s", text);
}

int reader_no_memory(struct reader *reader)
{
	return error_set(reader->err, ERROR_NO_MEMORY, "no memory to read %s", reader->file);
}

int reader_warn(struct reader *reader, const xmlNode *node, const char *fmt, ...)
{
	const struct config_options *options = reader->options;
	char text[sizeof(reader->err->text)];
	va_list args;

	va_start(args, fmt);
	describe(text, sizeof(text), reader, node, fmt, args);
	va_end(args);
	if (options && options->strict)
		return error_set(reader->err, ERROR_DEFINITION, "%s", text);
	if (options && options->warn)
		options->warn(options->context, text);
	return 0;
}

/*
 * Whether row @child of the table is directly below @parent ("" for the root). The name is what
 * follows.
 */
static const char *child_name(const char *child, const char *parent)
{
	size_t len = strlen(parent);

	if (len && (strncmp(child, parent, len) || child[len] != '/'))
		return NULL;
	const char *name = child + len + (len > 0);
	return strchr(name, '/') ? NULL : name;
}

static const struct element *find_element(const struct reader *reader, const char *parent,
					  const char *wanted)
{
	for (unsigned int i = 0; i < reader->rows; i++) {
		const char *name = child_name(reader->table[i].path, parent);
		if (name && !strcmp(name, wanted))
			return &reader->table[i];
	}
	return NULL;
}

/* Appends "a, b, c" to a list of what is possible. */
static void list_add(char *list, size_t size, const char *name)
{
	size_t len = strlen(list);

	snprintf(list + len, size - len, "%s%s", len ? ", " : "", name);
}

static int refuse_element(struct reader *reader, const xmlNode *node, const char *parent)
{
	char possible[300] = "";

	for (unsigned int i = 0; i < reader->rows; i++) {
		const char *name = child_name(reader->table[i].path, parent);
		if (name && !(reader->table[i].flags & ELEMENT_WARN))
			list_add(possible, sizeof(possible), name);
	}
	const char *prefix = node->ns && node->ns->prefix ? (const char *)node->ns->prefix : "";
	if (!*parent)
		return reader_refuse(reader, node,
				     "root element <%s> is not supported; possible: %s", node->name,
				     possible);
	return reader_refuse(
		reader, node, "element <%s%s%s> in <%s> is not supported; possible: %s", prefix,
		*prefix ? ":" : "", node->name, node->parent->name, *possible ? possible : "none");
}

static int refuse_attribute(struct reader *reader, const xmlNode *node, const xmlAttr *attr,
			    const struct attribute *known)
{
	char possible[200] = "";

	for (; known && known->name; known++) {
		if (!known->warn)
			list_add(possible, sizeof(possible), known->name);
	}
	return reader_refuse(reader, node, "attribute %s of <%s> is not supported; possible: %s",
			     attr->name, node->name, *possible ? possible : "none");
}

static int read_attribute(struct reader *reader, const xmlNode *node, const xmlAttr *attr,
			  const struct attribute *list)
{
	const struct attribute *known = list;

	while (known && known->name && strcmp(known->name, (const char *)attr->name))
		known++;
	if (!known || !known->name || attr->ns)
		return refuse_attribute(reader, node, attr, list);
	if (known->warn)
		return reader_warn(reader, node, "attribute %s of <%s> has no effect", attr->name,
				   node->name);
	xmlChar *value = xmlNodeListGetString(node->doc, attr->children, 1);
	const char *text = value ? (const char *)value : "";
	int rc = 0;
	if (known->handle)
		rc = known->handle(reader, node, text);
	else if (strcmp(text, known->value))
		rc = reader_refuse(reader, node, "%s='%s' of <%s> is not supported; possible: %s",
				   attr->name, text, node->name, known->value);
	xmlFree(value);
	return rc;
}

static int read_attributes(struct reader *reader, const xmlNode *node, const struct attribute *list)
{
	for (const xmlAttr *attr = node->properties; attr; attr = attr->next) {
		if (read_attribute(reader, node, attr, list))
			return -1;
	}
	for (; list && list->name; list++) {
		if (list->required && !xmlHasProp(node, BAD_CAST list->name))
			return reader_refuse(reader, node, "<%s> lacks its attribute %s",
					     node->name, list->name);
	}
	return 0;
}

static char *strip(char *text)
{
	static const char space[] = " \t\r\n";
	size_t len = strlen(text);

	while (len && strchr(space, text[len - 1]))
		text[--len] = 0;
	return text + strspn(text, space);
}

/* Gives the handler the element's text; text where none belongs is refused. */
static int read_text(struct reader *reader, xmlNode *node, const struct element *element)
{
	char *text = NULL;
	int rc = 0;

	for (xmlNode *child = node->children; child && !(element->flags & ELEMENT_OPAQUE);
	     child = child->next) {
		if (child->type == XML_ELEMENT_NODE || child->type == XML_COMMENT_NODE)
			continue;
		if (child->type != XML_TEXT_NODE)
			return reader_refuse(reader, child,
					     "<%s> has something in it that is neither an "
					     "element nor text",
					     node->name);
		if (!(element->flags & ELEMENT_TEXT) && !xmlIsBlankNode(child))
			return reader_refuse(reader, child, "text in <%s> is not supported",
					     node->name);
	}
	if (!element->handle)
		return 0;
	if (element->flags & ELEMENT_TEXT) {
		text = (char *)xmlNodeGetContent(node);
		if (!text)
			return reader_no_memory(reader);
	}
	const char *value = text ? text : "";
	if (text && element->flags & ELEMENT_STRIP)
		value = strip(text);
	rc = element->handle(reader, node, value);
	xmlFree(text);
	return rc;
}

static int read_element(struct reader *reader, xmlNode *node, const char *parent);

static int read_children(struct reader *reader, xmlNode *node, const struct element *element)
{
	for (unsigned int i = 0; i < reader->rows; i++) {
		if (child_name(reader->table[i].path, element->path))
			reader->seen[i] = 0;
	}
	for (xmlNode *child = node->children; child; child = child->next) {
		if (child->type == XML_ELEMENT_NODE && read_element(reader, child, element->path))
			return -1;
	}
	for (unsigned int i = 0; i < reader->rows; i++) {
		const char *name = child_name(reader->table[i].path, element->path);
		if (name && reader->table[i].flags & ELEMENT_REQUIRED && !reader->seen[i])
			return reader_refuse(reader, node, "<%s> lacks its element <%s>",
					     node->name, name);
	}
	return 0;
}

static int read_element(struct reader *reader, xmlNode *node, const char *parent)
{
	const struct element *element = find_element(reader, parent, (const char *)node->name);

	if (!element || node->ns)
		return refuse_element(reader, node, parent);
	if (element->flags & ELEMENT_WARN)
		return reader_warn(reader, node, "<%s> has no effect: %s", node->name,
				   element->remark);
	if (reader->seen[element - reader->table]++ && element->flags & ELEMENT_ONCE)
		return reader_refuse(reader, node, "<%s> is given twice", node->name);
	if (read_attributes(reader, node, element->attributes) || read_text(reader, node, element))
		return -1;
	return element->flags & ELEMENT_OPAQUE ? 0 : read_children(reader, node, element);
}

static int reader_walk(struct reader *reader, xmlNode *root)
{
	reader->seen = calloc(reader->rows, sizeof(reader->seen[0]));
	if (!reader->seen)
		return reader_no_memory(reader);
	int rc = read_element(reader, root, "");
	if (!rc)
		rc = reader->check(reader, root);
	free(reader->seen);
	return rc;
}

/* What the parser's callback needs to stop at a document type declaration. */
struct parse_state {
	int doctype_line;
};

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external,
		       const xmlChar *system)
{
	xmlParserCtxt *parser = context;
	struct parse_state *state = parser->_private;

	(void)name;
	(void)external;
	(void)system;
	state->doctype_line = parser->input ? parser->input->line : 1;
	xmlStopParser(parser);
}

static int refuse_text(const xmlParserCtxt *parser, const struct parse_state *state,
		       const char *file, struct error *err)
{
	const xmlError *error = xmlCtxtGetLastError((void *)(uintptr_t)parser);

	if (state->doctype_line)
		return error_set(err, ERROR_DEFINITION,
				 "%s:%d: <!DOCTYPE> is not supported; leave it out", file,
				 state->doctype_line);
	if (error && error->code == XML_ERR_NO_MEMORY)
		return error_set(err, ERROR_NO_MEMORY, "no memory to read %s", file);
	const char *message = error && error->message ? error->message : "not XML";
	return error_set(err, ERROR_DEFINITION, "%s:%d: not well-formed: %.*s", file,
			 error && error->line > 0 ? error->line : 1, (int)strcspn(message, "\n"),
			 message);
}

int reader_parse(struct reader *reader, const char *text, size_t len)
{
	const int flags = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
			  XML_PARSE_NOCDATA | XML_PARSE_BIG_LINES;
	struct parse_state state = { 0 };
	int rc = -1;

	if (len > CONFIG_TEXT_MAX)
		return error_set(reader->err, ERROR_DEFINITION, "%s: longer than %d bytes",
				 reader->file, CONFIG_TEXT_MAX);
	xmlParserCtxt *parser = xmlNewParserCtxt();
	if (!parser)
		return reader_no_memory(reader);
	parser->_private = &state;
	parser->sax->internalSubset = on_doctype;
	xmlDoc *doc = xmlCtxtReadMemory(parser, text, (int)len, reader->file, NULL, flags);
	xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
	if (!root || state.doctype_line)
		refuse_text(parser, &state, reader->file, reader->err);
	else
		rc = reader_walk(reader, root);
	xmlFreeDoc(doc);
	xmlFreeParserCtxt(parser);
	return rc;
}

int config_parse(struct vm_config *cfg, const char *text, size_t len, const char *file,
		 const struct config_options *options, struct error *err)
{
	struct reader reader = { .file = file, .options = options, .table = elements,
				 .rows = n_elements, .check = elements_check, .cfg = cfg,
				 .err = err };

	*cfg = (struct vm_config){ .on_reboot = VM_ACTION_RESTART };
	int rc = reader_parse(&reader, text, len);
	if (rc)
		config_free(cfg);
	return rc;
}
