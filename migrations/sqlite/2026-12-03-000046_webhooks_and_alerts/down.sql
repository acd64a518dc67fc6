DROP TABLE alerts;
DROP TABLE notifications;
DROP TABLE notification_endpoints;
