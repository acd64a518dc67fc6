DROP TABLE register_info;
