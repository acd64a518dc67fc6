DROP FUNCTION phananh_plain(text);
